// An aggregate without an SDK: what is spent, and in how many payments; it says so above a limit.
//
// An argument belongs to the callee, which frees it or moves it into its result. The generated code
// frees the result once the host has copied it, all but empty lists: those must not be allocated.
#include "aggregate_module.h"
#include <stdlib.h>
#include <string.h>

typedef tidemill_operator_columns_table_t table;
typedef tidemill_operator_columns_column_t column;
typedef tidemill_operator_columns_values_t values;
typedef tidemill_operator_outcome_emitted_t emitted;
typedef tidemill_operator_outcome_produced_t produced;
typedef tidemill_operator_outcome_output_t output;
typedef exports_tidemill_operator_aggregate_accumulated_t accumulated;
typedef aggregate_module_string_t text;
typedef aggregate_module_list_u32_t indices;

static double limit;

#define JSON(...) #__VA_ARGS__
void exports_tidemill_operator_setup_describe(text *ret) {
  aggregate_module_string_dup(ret, JSON({"interface": "0.1.0", "functions": [
    {"name": "velocity", "kind": "aggregate", "input": [{"name": "amount", "type": "float"}],
     "accumulator": [{"name": "total", "type": "float"}, {"name": "payments", "type": "integer"}],
     "output": {"new": [{"name": "total", "type": "float"},
                        {"name": "payments", "type": "integer"}]},
     "config": [{"name": "limit", "type": "float"}]}]}));
}

bool exports_tidemill_operator_setup_configure(uint32_t f, text *config, text *err) {
  limit = strtod(memchr(config->ptr, ':', config->len) + 1, NULL);  // {"limit":100.0}
  aggregate_module_string_free(config);
  return true;
}

static void *zeroed(size_t count, size_t size) {
  void *list = count ? calloc(count, size) : NULL;
  if (count && !list) __builtin_trap();
  return list;
}

// The columns of the declared accumulator, in its order.
static double *totals(const table *t) { return t->columns.ptr[0].values.val.floats.ptr; }
static int64_t *payments(const table *t) { return t->columns.ptr[1].values.val.words.ptr; }

static table spent(uint32_t rows) {
  column *two = zeroed(2, sizeof *two);
  two[0].values = (values){TIDEMILL_OPERATOR_COLUMNS_VALUES_FLOATS,
                           .val.floats = {zeroed(rows, sizeof(double)), rows}};
  two[1].values = (values){TIDEMILL_OPERATOR_COLUMNS_VALUES_WORDS,
                           .val.words = {zeroed(rows, sizeof(int64_t)), rows}};
  return (table){rows, {two, 2}};
}

bool exports_tidemill_operator_aggregate_create(uint32_t f, table *ret, text *err) {
  *ret = spent(1);
  return true;
}

bool exports_tidemill_operator_aggregate_accumulate(
    uint32_t f, tidemill_operator_columns_batch_t *rows, indices *groups, table *accs,
    indices *marks, accumulated *ret, text *err) {
  const double *amounts = rows->columns.ptr[0].values.val.floats.ptr;
  *ret = (accumulated){.accs = *accs, .marked = spent(marks->len), .clean = true};
  for (uint32_t row = 0, mark = 0; row < rows->rows; row++) {
    uint32_t group = groups->ptr[row];
    totals(accs)[group] += amounts[row];
    payments(accs)[group] += 1;
    if (mark == marks->len || marks->ptr[mark] != row) continue;
    totals(&ret->marked)[mark] = totals(accs)[group];
    payments(&ret->marked)[mark++] = payments(accs)[group];
  }
  tidemill_operator_columns_batch_free(rows);
  aggregate_module_list_u32_free(groups);
  aggregate_module_list_u32_free(marks);
  return true;
}

bool exports_tidemill_operator_aggregate_merge(
    uint32_t f, table *into, table *others, indices *groups, accumulated *ret, text *err) {
  for (uint32_t other = 0; other < others->rows; other++) {
    totals(into)[groups->ptr[other]] += totals(others)[other];
    payments(into)[groups->ptr[other]] += payments(others)[other];
  }
  *ret = (accumulated){.accs = *into, .marked = spent(0), .clean = true};
  tidemill_operator_columns_table_free(others);
  aggregate_module_list_u32_free(groups);
  return true;
}

bool exports_tidemill_operator_aggregate_finish(
    uint32_t f, table *keys, exports_tidemill_operator_aggregate_firings_t *firings,
    table *accs, output *ret, text *err) {
  indices over = {zeroed(accs->rows, sizeof(uint32_t)), 0};
  for (uint32_t i = 0; i < accs->rows; i++)
    if (totals(accs)[i] > limit) over.ptr[over.len++] = i;
  *ret = (output){0};
  if (over.len) {
    table rows = spent(over.len);
    produced *columns = zeroed(2, sizeof *columns);
    for (uint32_t i = 0; i < over.len; i++) {
      totals(&rows)[i] = totals(accs)[over.ptr[i]];
      payments(&rows)[i] = payments(accs)[over.ptr[i]];
    }
    for (int i = 0; i < 2; i++) {
      columns[i].tag = TIDEMILL_OPERATOR_OUTCOME_PRODUCED_MADE;
      columns[i].val.made = rows.columns.ptr[i];
    }
    free(rows.columns.ptr);
    ret->emitted.ptr = zeroed(1, sizeof(emitted));
    ret->emitted.ptr[ret->emitted.len++] = (emitted){.origins = over, .columns = {columns, 2}};
  } else free(over.ptr);
  tidemill_operator_columns_table_free(keys);
  tidemill_operator_columns_table_free(accs);
  exports_tidemill_operator_aggregate_firings_free(firings);
  return true;
}
