// A transform without an SDK: lets through the payments of at least so much.
//
// An argument belongs to the callee, which frees it or moves it into its result. The generated code
// frees the result once the host has copied it, all but empty lists: those must not be allocated.
#include "transform_module.h"
#include <stdlib.h>
#include <string.h>

typedef tidemill_operator_outcome_emitted_t emitted;
typedef tidemill_operator_outcome_failure_t failure;
typedef tidemill_operator_outcome_output_t output;

static double at_least;  // the same for every row: the host sets it on every fresh instance

#define JSON(...) #__VA_ARGS__
void exports_tidemill_operator_setup_describe(transform_module_string_t *ret) {
  transform_module_string_dup(ret, JSON({"interface": "0.1.0", "functions": [
    {"name": "large", "kind": "transform", "output": "same",
     "input": [{"name": "amount", "type": "float"}],
     "config": [{"name": "at_least", "type": "float"}]}]}));
}

bool exports_tidemill_operator_setup_configure(
    uint32_t f, transform_module_string_t *config, transform_module_string_t *err) {
  at_least = strtod(memchr(config->ptr, ':', config->len) + 1, NULL);  // {"at_least":100.0}
  transform_module_string_free(config);
  return true;
}

// What nobody has thought of is a trap: the host makes a new instance and looks for the bad row.
static void die(const char *why) {
  transform_module_string_t line;
  transform_module_string_set(&line, why);
  tidemill_operator_log_write(0, &line);
  __builtin_trap();
}

static void *room(void *list, size_t bytes) {
  list = realloc(list, bytes);
  if (bytes && !list) die("out of memory");
  return list;
}

// What is wrong with a row is a failure by value: the rest of the call stands.
static void fail(output *out, uint32_t row) {
  failure bad = {.row = row, .severity = 0};
  transform_module_string_dup(&bad.code, "negative-amount");
  transform_module_string_dup(&bad.message, "a payment below zero");
  out->failures.ptr = room(out->failures.ptr, (out->failures.len + 1) * sizeof bad);
  out->failures.ptr[out->failures.len++] = bad;
}

bool exports_tidemill_operator_transform_apply(
    uint32_t f, tidemill_operator_columns_batch_t *rows,
    output *ret, transform_module_string_t *err) {
  const double *amounts = rows->columns.ptr[0].values.val.floats.ptr;
  emitted kept = {.target = 0, .origins.ptr = room(NULL, rows->rows * sizeof(uint32_t))};
  *ret = (output){0};
  for (uint32_t row = 0; row < rows->rows; row++) {
    if (amounts[row] != amounts[row]) die("an amount that is not a number");
    if (amounts[row] < 0) fail(ret, row);
    else if (amounts[row] >= at_least) kept.origins.ptr[kept.origins.len++] = row;
  }
  if (kept.origins.len) {
    ret->emitted.ptr = room(NULL, sizeof kept);
    ret->emitted.ptr[ret->emitted.len++] = kept;
  } else free(kept.origins.ptr);
  tidemill_operator_columns_batch_free(rows);
  return true;
}
