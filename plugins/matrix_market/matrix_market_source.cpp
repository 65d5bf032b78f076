#include "matrix_market_source.hpp"

#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <libsolve/linear/linear_system.hpp>

namespace matrix_market {

void MatrixMarketOptions::describe(Fields<MatrixMarketOptions>& f) {
  using O = MatrixMarketOptions;
  f.add("file", &O::file, "the matrix A; ${NAME} stands for an environment variable")
      .required()
      .file();
  f.add("right_hand_side", &O::right_hand_side,
        Choices{{"random", "ones", "solution-ones", "file"}},
        "b: random numbers on [-1, 1), all 1, A times all 1, or from right_hand_side_file");
  f.add("right_hand_side_file", &O::right_hand_side_file,
        "a Matrix Market file of as many rows as A, for right_hand_side = \"file\"")
      .file();
  f.add("right_hand_side_column", &O::right_hand_side_column, Range::at_least(0),
        "which column of right_hand_side_file, from 0");
  f.add("initial_guess", &O::initial_guess, Choices{{"zero", "random"}},
        "x to start from: 0, or random numbers on [-1, 1)");
}

void MatrixMarketOptions::check(const MatrixMarketOptions& o, const std::string& prefix,
                                const SourceLocation& where, Diagnostics& problems) {
  const bool from_file = o.right_hand_side == "file";
  if (from_file && o.right_hand_side_file.empty())
    problems.add(where, prefix + "right_hand_side_file",
                 "is missing: right_hand_side = \"file\" reads b from it");
  if (!from_file && !o.right_hand_side_file.empty())
    problems.add(where, prefix + "right_hand_side_file",
                 "is given, but right_hand_side is \"" + o.right_hand_side +
                     "\"; set right_hand_side = \"file\" or leave the file out");
}

std::unique_ptr<Problem> MatrixMarketSource::create() {
  const std::string path = context_.resolve_file(options_.file);
  const std::shared_ptr<CsrMatrix> A = read_matrix_market(path, context_.communicator);
  Vector b("matrix_market::b", A->row_partition());
  const Vector x("matrix_market::x", A->column_partition());
  std::optional<Vector> exact;

  if (options_.right_hand_side == "random") {
    fill_uniform(b, RandomStream(context_.seed, "right_hand_side"));
  } else if (options_.right_hand_side == "ones") {
    fill(b, 1.0);
  } else if (options_.right_hand_side == "solution-ones") {
    exact = x.like("matrix_market::exact_solution");
    fill(*exact, 1.0);
    A->apply(*exact, b);
  } else {
    const std::string b_path = context_.resolve_file(options_.right_hand_side_file);
    b = read_matrix_market_vector(b_path, options_.right_hand_side_column,
                                  context_.communicator);
    if (!(b.partition() == A->row_partition()))
      throw ShapeError("the right-hand side in " + b_path + " has " +
                       std::to_string(b.global_size()) + " rows, the matrix in " + path + " has " +
                       std::to_string(A->num_rows()) + "; they must be as many");
  }
  if (options_.initial_guess == "random")
    fill_uniform(x, RandomStream(context_.seed, "initial_guess"));

  auto system = std::make_unique<LinearSystem>(A, b, x);
  system->exact_solution = exact;
  system->text = std::filesystem::path(path).filename().string() + ": " + A->description() +
                 (A->num_rows() != A->num_columns() ? ", least squares"
                  : A->is_symmetric()               ? ", symmetric"
                                                    : ", unsymmetric");
  return system;
}

}  // namespace matrix_market
