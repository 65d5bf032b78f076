#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/run/case.hpp>
#include <sstream>

/// The cases of data/bilevel/collection, whose best upper objectives are known (optima.csv).
namespace {

using namespace libsolve;

const std::string folder = LIBSOLVE_SOURCE_DIR "/data/bilevel/collection";

struct Known {
  std::string name;
  double F = 0.0, tolerance = 0.0;
};

std::vector<Known> known_optima() {
  std::ifstream file(folder + "/optima.csv");
  std::string line;
  std::getline(file, line);
  std::vector<Known> cases;
  while (std::getline(file, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream words(line);
    Known k;
    std::string lower_level;
    words >> k.name >> lower_level >> k.F >> k.tolerance;
    cases.push_back(k);
  }
  return cases;
}

class Collection : public testing::Test {
 protected:
  void SetUp() override {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    for (const auto& [kind, name] : {std::pair("problem-source", "bilevel-formulas"),
                                     std::pair("program-solver", "sketch-newton"),
                                     std::pair("bilevel-solver", "lv-hba-scaled")})
      if (registry_.find(kind, name) == nullptr) GTEST_SKIP() << "no " << name << " in this build";
    context_.registry = &registry_;
  }

  std::unique_ptr<BilevelProgram> problem_of(const std::string& name) {
    const LoadedCase loaded = load_case(folder + "/" + name + ".toml", {});
    ComponentSpec spec("bilevel-formulas");
    spec.options = *loaded.root.find("problem");
    std::erase_if(spec.options.as_table(),
                  [](const auto& entry) { return entry.first == "source"; });
    auto made = context_.make<ProblemSource>(spec)->create();
    return std::unique_ptr<BilevelProgram>(dynamic_cast<BilevelProgram*>(made.release()));
  }

  Registry registry_;
  Context context_;
};

/// How much lower f is at the best of `draws` points of the lower level's feasible set than at v:
/// drawn near y and far from it, kept where g and Y hold.
double improvement_by_chance(const BilevelProgram& problem, int draws) {
  const BilevelParts& p = problem.parts();
  const HostAccess lower(*p.lower);
  const std::vector<double> at = problem.host_v();
  const double f = lower.objective(at);
  const RandomStream random(1, "collection_test");
  std::vector<double> v = at, g(p.lower_constraints.size());
  double best = 0.0;
  std::uint64_t k = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const double reach = std::pow(10.0, 2.0 * random.uniform(k++) - 1.0);  // 0.1 to 10
    bool is_feasible = true;
    for (std::size_t j = static_cast<std::size_t>(p.num_upper); j < v.size(); ++j) {
      v[j] = at[j] + reach * (2.0 * random.uniform(k++) - 1.0);
      const std::size_t b = j - static_cast<std::size_t>(p.num_upper);
      v[j] = std::clamp(v[j], p.lower_variables.lower[b], p.lower_variables.upper[b]);
    }
    lower.constraints(v, g);
    for (std::size_t i = 0; i < g.size(); ++i)
      is_feasible = is_feasible && g[i] >= p.lower_constraints.lower[i] &&
                    g[i] <= p.lower_constraints.upper[i];
    if (is_feasible) best = std::max(best, f - lower.objective(v));
  }
  return best;
}

TEST_F(Collection, IsSolvedAtDefaults) {
  const std::vector<Known> cases = known_optima();
  ASSERT_EQ(cases.size(), 48u);
  int solved = 0;
  for (const Known& k : cases) {
    const auto problem = problem_of(k.name);
    const auto method = context_.make<BilevelSolver>("lv-hba-scaled");
    const Report report = method->solve(*problem, Monitor::none());
    const double F = report.value("upper_objective");
    const bool is_right = std::abs(F - k.F) <= k.tolerance * std::max(1.0, std::abs(k.F));
    solved += report.converged() && is_right;
    EXPECT_TRUE(report.converged() && is_right) << k.name << ": " << F << " for " << k.F;
    if (!report.converged()) continue;
    // Nothing is called solved whose lower level is not.
    const double f = report.value("lower_objective");
    EXPECT_LE(improvement_by_chance(*problem, 20000), 1e-5 * std::max(1.0, std::abs(f))) << k.name;
    EXPECT_LE(report.value("constraint_violation"), 1e-6) << k.name;
  }
  EXPECT_GE(solved, 45);
}

}  // namespace
