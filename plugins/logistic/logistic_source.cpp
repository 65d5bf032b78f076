#include "logistic_source.hpp"

#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>

namespace logistic {

void LogisticOptions::describe(Fields<LogisticOptions>& f) {
  using O = LogisticOptions;
  f.add("file", &O::file, "samples in LIBSVM's text format with two different labels")
      .file()
      .required();
  f.add("linear_constraints", &O::linear_constraints, Range::closed(0, 100000),
        "equations A x = b with normal random A and b; b is shrunk where it must be to have a "
        "feasible point");
  f.add("sphere", &O::sphere, "with the constraint |x|^2 = 1");
  f.add("regularization", &O::regularization, Range::at_least(0.0), "r of r/2 |x|^2");
  f.add("start", &O::start, "every entry of x at the start");
}

namespace {

/// |x|^2 of the point of A x = b nearest to 0, b^T (A A^T)^-1 b, by Cholesky; infinity where A A^T
/// is singular.
double nearest_squared(const std::vector<double>& A, const std::vector<double>& b, std::size_t n) {
  const std::size_t m = b.size();
  std::vector<double> L(m * m), y = b;
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (std::size_t k = 0; k < n; ++k) sum += A[i * n + k] * A[j * n + k];
      for (std::size_t k = 0; k < j; ++k) sum -= L[i * m + k] * L[j * m + k];
      L[i * m + j] = i == j ? std::sqrt(sum) : sum / L[j * m + j];
    }
  double squared = 0.0;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t k = 0; k < i; ++k) y[i] -= L[i * m + k] * y[k];
    y[i] /= L[i * m + i];
    squared += y[i] * y[i];
  }
  return std::isfinite(squared) ? squared : INFINITY;
}

}  // namespace

Planes random_planes(Index m, Index n, bool with_sphere, std::uint64_t seed) {
  const auto rows = static_cast<std::size_t>(m), columns = static_cast<std::size_t>(n);
  const RandomStream of_A(seed, "logistic::A"), of_b(seed, "logistic::b");
  Planes planes;
  planes.A.resize(rows * columns);
  planes.b.resize(rows);
  for (std::size_t k = 0; k < planes.A.size(); ++k) planes.A[k] = of_A.normal(k);
  for (std::size_t i = 0; i < rows; ++i) planes.b[i] = of_b.normal(i);
  if (m >= n) {
    const RandomStream of_y(seed, "logistic::y");
    std::vector<double> y(columns);
    double norm = 0.0;
    for (std::size_t j = 0; j < columns; ++j) {
      y[j] = of_y.normal(j);
      norm += y[j] * y[j];
    }
    norm = std::sqrt(norm);
    for (std::size_t i = 0; i < rows; ++i) {
      planes.b[i] = 0.0;
      for (std::size_t j = 0; j < columns; ++j)
        planes.b[i] += planes.A[i * columns + j] * y[j] / norm;
    }
    planes.note = " through one point (as many planes as features or more)";
  } else if (with_sphere && m > 0) {
    const double nearest = std::sqrt(nearest_squared(planes.A, planes.b, columns));
    if (nearest > 0.9) {
      const double factor = 0.5 / nearest;
      for (double& b : planes.b) b *= factor;
      planes.note = " moved closer to 0 by the factor " + short_number(factor) +
                    ", since they would miss the sphere";
    }
  }
  return planes;
}

std::unique_ptr<Problem> LogisticSource::create() {
  const LogisticOptions& o = options_;
  if (context_.communicator.size() > 1)
    throw Unsupported("source 'logistic' works on one rank, there are " +
                      std::to_string(context_.communicator.size()));
  const std::string path = context_.resolve_file(o.file);
  const LabelledSamples samples = read_libsvm(path);
  const Index n = samples.num_columns;
  if (n == 0) throw DataError("'" + path + "' has no entries: every line is a label alone");
  const bool by_columns = !runs_on_host<ExecSpace>;
  Planes planes = random_planes(o.linear_constraints, n, o.sphere, context_.seed);
  const auto program = std::make_shared<const LogisticProgram>(LogisticProgram{
      .data = make_sample_data(samples, "'" + path + "'", context_.seed, by_columns),
      .regularization = o.regularization,
      .A = std::move(planes.A),
      .b = std::move(planes.b),
      .has_sphere = o.sphere});
  auto functions = std::make_shared<LogisticFunctions>(program, samples.num_rows(), by_columns);
  const auto m = static_cast<std::size_t>(functions->num_constraints());
  const auto columns = static_cast<std::size_t>(n);
  const Bounds free{std::vector<double>(columns, -INFINITY),
                    std::vector<double>(columns, INFINITY)};
  const Bounds equal{std::vector<double>(m, 0.0), std::vector<double>(m, 0.0)};
  auto problem = std::make_unique<NonlinearProgram>(std::move(functions), free, equal,
                                                    std::vector<double>(columns, o.start));
  problem->text = "logistic loss of " + std::filesystem::path(path).filename().string() + ", " +
                  std::to_string(samples.num_rows()) + " samples, " + std::to_string(n) +
                  " features";
  if (o.linear_constraints > 0)
    problem->text += ", " + std::to_string(o.linear_constraints) + " planes" + planes.note;
  if (o.sphere) problem->text += ", unit sphere";
  return problem;
}

}  // namespace logistic
