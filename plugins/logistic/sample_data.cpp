#include "sample_data.hpp"

#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>
#include <numeric>
#include <set>

namespace logistic {

namespace {

template <class T>
Kokkos::View<const T*, MemSpace> to_view(const std::string& label, const std::vector<T>& values) {
  const Kokkos::View<T*, MemSpace> view = bare_array<T>(label, values.size());
  Kokkos::deep_copy(view, Kokkos::View<const T*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

double positive_label(const LabelledSamples& samples, const std::string& origin) {
  std::set<double> labels;
  for (const double label : samples.labels) {
    labels.insert(label);
    if (labels.size() > 2) break;
  }
  if (labels.size() == 2) return *labels.rbegin();
  std::vector<std::string> found;
  for (const double label : labels) found.push_back(format_number(label));
  throw DataError(origin + ": two different labels are needed, found " + join(found) +
                  (labels.size() > 2 ? " and perhaps more" : "") +
                  "; logistic regression separates two classes");
}

/// Row indices in an order drawn from the seed.
std::vector<Index> random_order(Index n, std::uint64_t seed) {
  const RandomStream stream(seed, "logistic::order");
  std::vector<std::pair<std::uint64_t, Index>> keys(static_cast<std::size_t>(n));
  for (Index i = 0; i < n; ++i)
    keys[static_cast<std::size_t>(i)] = {stream.bits(static_cast<std::uint64_t>(i)), i};
  std::sort(keys.begin(), keys.end());
  std::vector<Index> order;
  for (const auto& key : keys) order.push_back(key.second);
  return order;
}

}  // namespace

SampleData make_sample_data(const LabelledSamples& samples, const std::string& origin,
                            std::uint64_t seed, bool by_columns) {
  const double positive = positive_label(samples, origin);
  std::vector<GlobalIndex> row_pointers = {0};
  std::vector<Index> columns;
  std::vector<double> values;
  columns.reserve(samples.columns.size());
  values.reserve(samples.values.size());
  SampleData data;
  for (const Index i : random_order(samples.num_rows(), seed)) {
    const auto row = static_cast<std::size_t>(i);
    const double sign = samples.labels[row] == positive ? 1.0 : -1.0;
    const auto begin = static_cast<std::size_t>(samples.row_pointers[row]);
    const auto end = static_cast<std::size_t>(samples.row_pointers[row + 1]);
    for (std::size_t k = begin; k < end; ++k) {
      columns.push_back(samples.columns[k]);
      values.push_back(sign * samples.values[k]);
    }
    row_pointers.push_back(static_cast<GlobalIndex>(columns.size()));
    const auto length = static_cast<double>(end - begin);
    data.squared_row_lengths += length * length;
  }
  data.rows = {samples.num_rows(), samples.num_columns, to_view("logistic::rows", row_pointers),
               to_view("logistic::columns", columns), to_view("logistic::values", values)};
  if (!by_columns) return data;

  std::vector<GlobalIndex> column_pointers(static_cast<std::size_t>(samples.num_columns) + 1, 0);
  for (const Index j : columns) ++column_pointers[static_cast<std::size_t>(j) + 1];
  std::partial_sum(column_pointers.begin(), column_pointers.end(), column_pointers.begin());
  std::vector<GlobalIndex> next(column_pointers.begin(), column_pointers.end() - 1);
  std::vector<Index> column_rows(columns.size());
  std::vector<double> column_values(columns.size());
  for (std::size_t i = 0; i + 1 < row_pointers.size(); ++i)
    for (auto k = static_cast<std::size_t>(row_pointers[i]);
         k < static_cast<std::size_t>(row_pointers[i + 1]); ++k) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(columns[k])]++);
      column_rows[at] = static_cast<Index>(i);
      column_values[at] = values[k];
    }
  data.column_pointers = to_view("logistic::column_pointers", column_pointers);
  data.column_rows = to_view("logistic::column_rows", column_rows);
  data.column_values = to_view("logistic::column_values", column_values);
  return data;
}

}  // namespace logistic
