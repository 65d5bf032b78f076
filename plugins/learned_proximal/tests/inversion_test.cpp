#include <cmath>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/loader.hpp>

#include "operator_support.hpp"

namespace {

using namespace learned_proximal;
using libsolve::test::to_host;

Context context() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  Context c;
  c.registry = all;
  return c;
}

using Options = std::initializer_list<std::pair<const char*, Value>>;

ComponentSpec spec(const std::string& name, Options options) {
  ComponentSpec made(name);
  for (const auto& [key, value] : options) made.options.set(key, value);
  return made;
}

Value table(const std::string& name, Options options) {
  Value made = spec(name, options).options;
  made.set("name", Value(name));
  return made;
}

/// The initial state of the heat equation, two blocks, from its blurred and noisy end.
std::unique_ptr<Problem> blocks(const Value& regularizer, double weight) {
  const Value heat = table("heat-inversion",
                           {{"size", Value(std::int64_t{32})},
                            {"steps", Value(std::int64_t{4})},
                            {"final_time", Value(0.001)},
                            {"initial", Value("min(1, max(0, 1e6 * (0.15 - abs(x - 0.35)))) * "
                                              "min(1, max(0, 1e6 * (0.2 - abs(y - 0.6)))) + 0.5 * "
                                              "min(1, max(0, 1e6 * (0.12 - abs(x - 0.75)))) * "
                                              "min(1, max(0, 1e6 * (0.3 - abs(y - 0.5))))")},
                            {"noise", Value(0.02)},
                            {"value_cost", Value(0.0)}});
  return context()
      .make<ProblemSource>(spec(
          "composite", {{"smooth", heat}, {"regularizer", regularizer}, {"weight", Value(weight)}}))
      ->create();
}

double error_of(const NonlinearProgram& problem) {
  std::vector<double> truth;
  for (const Field& f : problem.data())
    if (f.name == "true_initial") truth = to_host(f.values);
  const auto x = problem.host_x();
  double miss = 0.0, size = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    miss += (x[i] - truth[i]) * (x[i] - truth[i]);
    size += truth[i] * truth[i];
  }
  return std::sqrt(miss / size);
}

/// The weights that come along find blocks better than squares of gradients do at the best of their
/// weights, by both methods; what they return is a fixed point of f, where R is known.
TEST(Inversion, WeightsThatComeAlongFindBlocks) {
  double smooth = 1.0;
  for (const double weight : {1e-7, 1e-6, 1e-5, 1e-4}) {
    const auto problem = blocks(table("quadratic", {{"measure", Value("nodes")}}), weight);
    const auto method = context().make<ProgramSolver>(spec("fista", {{"tolerance", Value(1e-4)}}));
    ASSERT_TRUE(method->solve(*problem, Monitor::none()).converged()) << weight;
    smooth = std::min(smooth, error_of(dynamic_cast<const NonlinearProgram&>(*problem)));
  }
  const Value learned = table("learned-proximal", {{"weights", Value("proximal-2d")}});
  const auto problem = blocks(learned, 0.03);
  const auto admm = context().make<ProgramSolver>(
      spec("admm", {{"tolerance", Value(1e-3)}, {"relaxation", Value(1.0)}}));
  const Report report = admm->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::converged) << report.reason;
  EXPECT_LT(error_of(dynamic_cast<const NonlinearProgram&>(*problem)), 0.9 * smooth);
  EXPECT_TRUE(std::isfinite(report.value("regularizer")));
  EXPECT_GT(report.value("network_passes"), 0.0);
  const auto again = blocks(learned, 1.0);
  const auto fista = context().make<ProgramSolver>(spec("fista", {{"tolerance", Value(1e-3)}}));
  const Report other = fista->solve(*again, Monitor::none());
  EXPECT_EQ(other.status, Status::converged) << other.reason;
}

/// One step only: too long for f, and so said.
TEST(Inversion, StepsThatAreTooLongAreSaid) {
  const auto problem = blocks(table("learned-proximal", {{"weights", Value("proximal-2d")}}), 0.1);
  const Report report =
      context().make<ProgramSolver>(spec("fista", {}))->solve(*problem, Monitor::none());
  EXPECT_EQ(report.status, Status::breakdown);
  EXPECT_NE(report.reason.find("raise its weight"), std::string::npos) << report.reason;
}

}  // namespace
