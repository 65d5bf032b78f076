#include "matrix_sequence.hpp"

#include <algorithm>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/matrix_market.hpp>

namespace sequences {

void MatrixSequenceOptions::describe(Fields<MatrixSequenceOptions>& f) {
  using O = MatrixSequenceOptions;
  f.add("matrices", &O::matrices, "Matrix Market files, in their order; ${NAME} stands for an "
                                  "environment variable")
      .required();
  f.add("right_hand_sides", &O::right_hand_sides,
        "for each system in turn: \"random\", \"ones\", or a Matrix Market file");
  f.add("contexts", &O::contexts,
        "a number for each matrix that says how it differs from the others; empty: all 0");
  f.add("systems", &O::systems, Range::at_least(0),
        "systems in the sequence, from the first matrix again after the last; 0: each once");
  f.add("warm_start", &O::warm_start,
        "start from the solution before, where it has the same length; else from 0");
}

void MatrixSequenceOptions::check(const MatrixSequenceOptions& o, const std::string& prefix,
                                  const SourceLocation& where, Diagnostics& problems) {
  if (o.matrices.empty()) problems.add(where, prefix + "matrices", "must name at least one file");
  if (o.right_hand_sides.empty())
    problems.add(where, prefix + "right_hand_sides", "must have at least one entry");
  if (!o.contexts.empty() && o.contexts.size() != o.matrices.size())
    problems.add(where, prefix + "contexts",
                 "must have as many numbers as there are matrices, " +
                     std::to_string(o.matrices.size()) + ", has " +
                     std::to_string(o.contexts.size()));
}

MatrixSequence::MatrixSequence(const MatrixSequenceOptions& options, const Context& context)
    : LinearSystemSequence(options.systems > 0 ? options.systems
                                               : static_cast<std::int64_t>(options.matrices.size())),
      options_(options),
      context_(context) {
  // A file that is missing is said before anything is solved.
  for (const std::string& file : options.matrices)
    (void)read_matrix_market_header(context.resolve_file(file));
  for (const std::string& b : options.right_hand_sides)
    if (b != "random" && b != "ones") (void)read_matrix_market_header(context.resolve_file(b));
  start();
}

std::string MatrixSequence::description() const {
  return std::to_string(options_.matrices.size()) + " Matrix Market files, " +
         std::to_string(size()) + " systems, first " + matrix_->description();
}

std::optional<std::pair<double, double>> MatrixSequence::context_range() const {
  if (options_.contexts.empty()) return {};
  const auto [low, high] = std::minmax_element(options_.contexts.begin(), options_.contexts.end());
  return {{*low, *high}};
}

Vector MatrixSequence::right_hand_side(std::int64_t t) const {
  const std::string& what =
      options_.right_hand_sides[static_cast<size_t>(t) % options_.right_hand_sides.size()];
  if (what != "random" && what != "ones") {
    const std::string path = context_.resolve_file(what);
    Vector b = read_matrix_market_vector(path, 0, context_.communicator);
    if (!(b.partition() == matrix_->row_partition()))
      throw ShapeError("the right-hand side in " + path + " has " +
                       std::to_string(b.global_size()) + " rows, the matrix in " + at_hand_ +
                       " has " + std::to_string(matrix_->num_rows()) + "; they must be as many");
    return b;
  }
  Vector b("matrix_sequence::b", matrix_->row_partition());
  if (what == "ones")
    fill(b, 1.0);
  else
    fill_uniform(b, RandomStream(context_.seed, "right_hand_side " + std::to_string(t)));
  return b;
}

LinearSystemSequence::System MatrixSequence::make(std::int64_t t, const Vector* last) {
  const size_t which = static_cast<size_t>(t) % options_.matrices.size();
  const std::string path = context_.resolve_file(options_.matrices[which]);
  if (path != at_hand_) {
    matrix_ = read_matrix_market(path, context_.communicator);
    at_hand_ = path;
    if (matrix_->num_rows() != matrix_->num_columns())
      throw ShapeError("the matrix in " + path + " is " + std::to_string(matrix_->num_rows()) +
                       " x " + std::to_string(matrix_->num_columns()) +
                       "; a sequence takes square ones");
  }
  const Vector x("matrix_sequence::x", matrix_->column_partition());
  if (options_.warm_start && last != nullptr && last->partition() == x.partition()) copy(*last, x);
  System made{.system = std::make_unique<LinearSystem>(matrix_, right_hand_side(t), x),
              .context = options_.contexts.empty() ? 0.0 : options_.contexts[which]};
  made.system->text = path;
  return made;
}

}  // namespace sequences
