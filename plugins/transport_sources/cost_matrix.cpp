#include "cost_matrix.hpp"

#include <filesystem>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/transport/dense_cost.hpp>

#include "datasets.hpp"

namespace transport_sources {

void CostMatrixOptions::describe(Fields<CostMatrixOptions>& f) {
  f.add("file", &CostMatrixOptions::file,
        "HDF5 with the datasets cost (n x m) and, where masses are not uniform, a (n) and b (m)")
      .required()
      .file();
  f.add_group(&CostMatrixOptions::common);
}

void CostMatrixOptions::check(const CostMatrixOptions& o, const std::string& prefix,
                              const SourceLocation& where, Diagnostics& problems) {
  RegularizationOptions::check(o.common, prefix, where, problems);
}

std::unique_ptr<Problem> CostMatrixSource::create() {
  const std::string path = context_.resolve_file(options_.file);
  const Hdf5File file = open_data(path);
  const auto shape = shape_of(file, "cost", 2, "the cost matrix, n x m");
  const GlobalIndex n = shape[0];
  const GlobalIndex m = shape[1];
  const Partition rows = rows_over_ranks(context_.communicator, n);
  const Partition columns{m};
  const DenseBlock C = read_rows(file, "cost", rows, m, false, context_.communicator);
  const Vector a = read_masses(file, "a", rows, std::to_string(n) + " rows of 'cost'");
  const Vector b = read_masses(file, "b", columns, std::to_string(m) + " columns of 'cost'");
  auto problem = make_problem(make_dense_cost(C, rows), a, b, options_.common, "'" + path + "'");
  problem->text = std::filesystem::path(path).filename().string() + ": cost " +
                  std::to_string(n) + " x " + std::to_string(m);
  return problem;
}

void AssignmentOptions::describe(Fields<AssignmentOptions>& f) {
  f.add("size", &AssignmentOptions::size, Range::closed(1, 46340), "rows and columns, n");
  f.add_group(&AssignmentOptions::common);
}

void AssignmentOptions::check(const AssignmentOptions& o, const std::string& prefix,
                              const SourceLocation& where, Diagnostics& problems) {
  RegularizationOptions::check(o.common, prefix, where, problems);
}

std::unique_ptr<Problem> AssignmentSource::create() {
  const GlobalIndex n = options_.size;
  const Partition rows = rows_over_ranks(context_.communicator, n);
  const Partition entries = context_.communicator.size() > 1
                                ? Partition(context_.communicator, rows.local_size() * n)
                                : Partition(n * n);
  const Vector values("transport_sources::cost", entries);
  fill_uniform(values, RandomStream(context_.seed, "transport_sources::assignment"), 0.0, 1.0);
  const DenseBlock C("transport_sources::cost", static_cast<std::size_t>(rows.local_size()),
                     static_cast<std::size_t>(n));
  Kokkos::deep_copy(VectorView(C.data(), values.view().extent(0)), values.view());
  auto problem =
      make_problem(make_dense_cost(C, rows), uniform_mass(rows, "transport_sources::a"),
                   uniform_mass(Partition(n), "transport_sources::b"), options_.common, "assignment");
  problem->text = "assignment, uniform random cost, n = " + std::to_string(n);
  return problem;
}

}  // namespace transport_sources
