#include "synthetic_source.hpp"

#include <libsolve/bilevel/separable.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>

#include "linearly_coupled.hpp"
#include "models.hpp"

namespace lvhba_synthetic {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

template <class Model>
BilevelParts separable_parts(Index n) {
  BilevelParts p;
  p.num_upper = n;
  p.num_lower = 2 * n;
  p.upper = std::make_shared<SeparableFunctions<Model, true>>(n);
  p.lower = std::make_shared<SeparableFunctions<Model, false>>(n);
  p.lower_constraints = {{0.0}, {0.0}};
  p.lower_is_convex = p.lower_is_quadratic = true;
  p.iteration = std::make_shared<SeparableLvHba<Model>>(n, 0.0, 0.0);
  for (const double value : Model::solution)
    p.reference.insert(p.reference.end(), static_cast<std::size_t>(n), value);
  return p;
}

BilevelParts make_parts(const SyntheticOptions& o, std::uint64_t seed) {
  if (o.problem == "merely-convex") return separable_parts<ProblemA>(o.size);
  if (o.problem == "bilinear") return separable_parts<ProblemB>(o.size);
  const int rows = o.rows > 0 ? o.rows : o.size * 9 / 10;
  if (rows > o.size)
    throw InputError({}, "problem.rows",
                     "must be at most problem.size, is " + std::to_string(rows) + " of " +
                         std::to_string(o.size));
  return make_linearly_coupled(o.size, rows, seed);
}

}  // namespace

void SyntheticOptions::describe(Fields<SyntheticOptions>& f) {
  using O = SyntheticOptions;
  f.add("problem", &O::problem, Choices{{"merely-convex", "bilinear", "strongly-convex"}},
        "A: F = |x - y2|^2 / 2 + |y1 - 1|^2 / 2; B: F = (y1 - 2).(x - 1) + |y2 + 3|^2; C: sine and "
        "logarithm above |x - y|^2 / 2");
  f.add("size", &O::size, Range::closed(1, 100'000'000), "n: upper variables");
  f.add("rows", &O::rows, Range::at_least(0),
        "strongly-convex: rows of A, H and of B; 0: nine tenths of size");
  f.add("start", &O::start, Choices{{"zero", "random"}},
        "where methods start: 0, or drawn from N(0, 1)");
}

std::unique_ptr<Problem> SyntheticSource::create() {
  if (context_.communicator.size() > 1)
    throw Unsupported("the problem source 'lvhba-synthetic' works on one rank, got " +
                      std::to_string(context_.communicator.size()) + "; run it without mpirun");
  BilevelParts p = make_parts(options_, context_.seed);
  const auto nx = static_cast<std::size_t>(p.num_upper), ny = static_cast<std::size_t>(p.num_lower);
  p.upper_variables = {std::vector<double>(nx, -none), std::vector<double>(nx, none)};
  p.lower_variables = {std::vector<double>(ny, -none), std::vector<double>(ny, none)};
  p.start.assign(nx + ny, 0.0);
  if (options_.start == "random") {
    const RandomStream stream(context_.seed, "start");
    for (std::size_t i = 0; i < p.start.size(); ++i) p.start[i] = stream.normal(i);
  }
  p.text = options_.problem + " bilevel program, n = " + std::to_string(options_.size);
  return std::make_unique<BilevelProgram>(std::move(p));
}

}  // namespace lvhba_synthetic
