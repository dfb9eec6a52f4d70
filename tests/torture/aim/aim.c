// Loaded into the `tidemill` command before the C library (LD_PRELOAD): sees every act on the folder of a round, gives it a
// moment, and kills or stops the process at the one that was aimed at, or lets acts fail from there on. The command itself
// knows nothing of it.
//
//   TORTURE_FOLDER   the round's folder, absolute: checkpoints are in `checkpoints`, sinks in `out`
//   TORTURE_LOG      a file to which a line is added for each act, before it is done: `<moment> <act> <path>`;
//                    `= made <path>` where a claim or a manifest has come to be
//   TORTURE_AIM      nothing, or `<moment> <number> <before|torn|after> signal <signal>`: at the so-manieth act of that moment,
//                    before it, with half of the bytes written, or after it;
//                    or `… error <errno> <acts>`: from that act on so many that write fail; torn, the first writes half
//
// Moments follow from the act, from the path, and from how many numbers this process has taken (a claim, then manifests).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))next(#name))

enum when { BEFORE, TORN, AFTER };

// What is about to be done; without a moment it is nobody's business.
struct act {
  const char *moment;
  char path[PATH_MAX];
  int hit;
  int error;  // what it fails with, instead of being done
};

static char folder[PATH_MAX];
static int log_file = -1;
static char aim_moment[32];
static long aim_number;
static enum when aim_when;
static int aim_signal;
static int aim_error;
static long aim_acts;
static atomic_long aim_met;
static atomic_int failing;    // whether acts fail from now on
static atomic_long failed;    // how many have
static atomic_int taken;      // claims and manifests that this process has made
static atomic_int published;  // files put in their places since the last of them

static void *next(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char *where = getenv("TORTURE_FOLDER"), *log = getenv("TORTURE_LOG"), *aim = getenv("TORTURE_AIM");
  if (!where || !log) return;
  snprintf(folder, sizeof folder, "%s/", where);
  log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  char when[16], how[16];
  int what;
  if (!aim || sscanf(aim, "%31s %ld %15s %15s %d %ld", aim_moment, &aim_number, when, how, &what, &aim_acts) < 5) return;
  aim_when = strcmp(when, "torn") == 0 ? TORN : strcmp(when, "after") == 0 ? AFTER : BEFORE;
  *(strcmp(how, "error") == 0 ? &aim_error : &aim_signal) = what;
}

static void say(const char *moment, const char *what, const char *path) {
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%s %s %s\n", moment, what, path);
  syscall(SYS_write, log_file, line, (size_t)length);
}

// The signal goes to this thread, so that it does nothing more before all stand still.
static void strike(void) { syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), aim_signal); }

// The path from the round's folder; nothing if it lies elsewhere.
static const char *within(const char *path) {
  size_t length = strlen(folder);
  if (path[0] == '/') return strncmp(path, folder, length) == 0 ? path + length : NULL;
  return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

static int is_staged(const char *name) { return strchr(name, '#') != NULL; }

// A moment of the location of checkpoints.
static const char *moment_of_location(const char *what, const char *path, const char *name) {
  int manifest = strstr(path, "/manifests/") != NULL, data = strstr(path, "/data/") != NULL;
  if (strncmp(name, "lock", 4) == 0 || strncmp(name, "probe", 5) == 0 || strncmp(name, "pipeline.json", 13) == 0) return "claim";
  if (!manifest && !data) return NULL;
  if (strcmp(what, "read") == 0) return taken < 2 ? "recovery" : NULL;
  if (strcmp(what, "remove") == 0 && !is_staged(name)) return "retention";
  if (data) return "snapshot";
  // What is left of a put is removed when the manifest is there: what it is to publish is not yet published.
  if (strcmp(what, "remove") == 0) return taken < 2 ? "claim" : "between";
  return taken == 0 ? "claim" : "manifest";
}

// A moment of the sinks. Before the first manifest of its own, a process publishes what an earlier one has left.
static const char *moment_of_sink(const char *what, const char *path, const char *name) {
  int hidden = name[0] == '.', first = taken < 2;
  if (strcmp(what, "read") == 0) return NULL;
  if (strcmp(what, "write") == 0 && !hidden) return "publish";
  if (strcmp(what, "rename") == 0 && !hidden) return first ? "republish" : published ? "publish" : "between";
  if (strcmp(what, "remove") == 0) return first ? "republish" : "tidy";
  if (strstr(path, ".join.")) return first ? "republish" : published ? "publish" : "between";
  return "pending";
}

// What needs room, or a disk that works.
static int writes(const char *what) {
  return strcmp(what, "open") == 0 || strcmp(what, "write") == 0 || strcmp(what, "sync") == 0 || strcmp(what, "link") == 0 ||
         strcmp(what, "rename") == 0;
}

static void meet(struct act *act, const char *what, const char *full) {
  act->moment = NULL;
  act->hit = 0;
  act->error = 0;
  const char *path = log_file < 0 || !full ? NULL : within(full);
  if (!path) return;
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  if (strncmp(path, "checkpoints/", 12) == 0) act->moment = moment_of_location(what, path, name);
  if (strncmp(path, "out/", 4) == 0) act->moment = moment_of_sink(what, path, name);
  if (!act->moment) return;
  snprintf(act->path, sizeof act->path, "%s", path);
  say(act->moment, what, path);
  act->hit = aim_number > 0 && strcmp(act->moment, aim_moment) == 0 && atomic_fetch_add(&aim_met, 1) + 1 == aim_number;
  if (act->hit && aim_error) failing = 1;
  if (failing && writes(what) && atomic_fetch_add(&failed, 1) < aim_acts) {
    say("=", "failed", path);
    act->error = aim_error;
  }
  if (act->hit && aim_signal && aim_when == BEFORE) strike();
}

static void done(struct act *act) {
  if (act->hit && aim_signal && aim_when != BEFORE) {
    int error = errno;
    strike();
    errno = error;
  }
}

static int fails(struct act *act) {
  errno = act->error;
  return -1;
}

// The path that an open file has, for acts on files.
static const char *path_of(int fd, char *buffer) {
  if (log_file < 0 || fd <= 2) return NULL;
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length <= 0 || buffer[0] != '/') return NULL;
  buffer[length] = 0;
  return buffer;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  struct act act;
  meet(&act, flags & (O_WRONLY | O_RDWR) ? "open" : flags & O_DIRECTORY ? "list" : "read", path);
  if (act.error) return fails(&act);
  int fd = (int)syscall(SYS_openat, at, path, flags, mode);
  done(&act);
  return fd;
}

#define OPEN(name)                                       \
  int name(const char *path, int flags, ...) {           \
    va_list rest;                                        \
    va_start(rest, flags);                               \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                        \
    return opened(AT_FDCWD, path, flags, mode);          \
  }
OPEN(open)
OPEN(open64)

static int linked(const char *from, const char *to, int at_from, int at_to, int flags) {
  struct act act;
  meet(&act, "link", to);
  if (act.error) return fails(&act);
  int result = (int)syscall(SYS_linkat, at_from, from, at_to, to, flags);
  if (result == 0 && act.moment && strstr(act.path, "/manifests/") && !is_staged(act.path)) {
    published = 0;
    taken++;
    say("=", "made", act.path);
  }
  done(&act);
  return result;
}

int link(const char *from, const char *to) { return linked(from, to, AT_FDCWD, AT_FDCWD, 0); }
int linkat(int at_from, const char *from, int at_to, const char *to, int flags) { return linked(from, to, at_from, at_to, flags); }

int rename(const char *from, const char *to) {
  struct act act;
  meet(&act, "rename", to);
  if (act.error) return fails(&act);
  int result = NEXT(rename)(from, to);
  if (result == 0 && act.moment && strncmp(act.path, "out/", 4) == 0) published++;
  done(&act);
  return result;
}

int unlink(const char *path) {
  struct act act;
  meet(&act, "remove", path);
  int result = NEXT(unlink)(path);
  done(&act);
  return result;
}

// Counted, and not done: no machine goes down here, and a busy disk would decide how far a life gets.
#define SYNC(name)                         \
  int name(int fd) {                       \
    struct act act;                        \
    char path[PATH_MAX];                   \
    meet(&act, "sync", path_of(fd, path)); \
    if (!act.moment) return NEXT(name)(fd); \
    if (act.error) return fails(&act);     \
    done(&act);                            \
    return 0;                              \
  }
SYNC(fsync)
SYNC(fdatasync)

// A torn write is one of which half of the bytes are there when the process ends.
ssize_t write(int fd, const void *bytes, size_t count) {
  struct act act;
  char path[PATH_MAX];
  meet(&act, "write", path_of(fd, path));
  if (act.hit && aim_when == TORN && count > 1) count /= 2;
  else if (act.error) return fails(&act);
  ssize_t result = syscall(SYS_write, fd, bytes, count);
  done(&act);
  return result;
}

#define PWRITE(name)                                                       \
  ssize_t name(int fd, const void *bytes, size_t count, off_t offset) {    \
    struct act act;                                                        \
    char path[PATH_MAX];                                                   \
    meet(&act, "write", path_of(fd, path));                                \
    if (act.hit && aim_when == TORN && count > 1) count /= 2;              \
    else if (act.error) return fails(&act);                                \
    ssize_t result = syscall(SYS_pwrite64, fd, bytes, count, offset);      \
    done(&act);                                                            \
    return result;                                                         \
  }
PWRITE(pwrite)
PWRITE(pwrite64)
