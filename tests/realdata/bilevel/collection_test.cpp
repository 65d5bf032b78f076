#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/bilevel/global_lower.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/plugin/loader.hpp>
#include <nlohmann/json.hpp>

/// 48 problems of the literature (bilevel/problems.json of LIBSOLVE_DATA_DIR, from the BOLIB
/// collection of Zhou, Zemkoho, Tin 2020), whose best upper objectives are known.
namespace {

using namespace libsolve;
using Numbers = std::vector<double>;

struct Known {
  std::string name, form;
  double F = 0.0, tolerance = 0.0;
  Value options = {};  ///< of the source bilevel-formulas
};

Value texts(const nlohmann::json& list) {
  Value::Array a;
  for (const auto& text : list) a.emplace_back(text.get<std::string>());
  return Value(std::move(a));
}

std::vector<Known> read_collection(const std::string& file) {
  std::vector<Known> cases;
  const nlohmann::json all = nlohmann::json::parse(std::ifstream(file));
  for (const auto& p : all.at("problems")) {
    Known k;
    k.name = p.at("name");
    k.form = p.at("lower");
    k.F = p.at("F_ref");
    k.tolerance = p.at("tol");
    k.options.set("upper_variables", Value(p.at("nx").get<int>()));
    k.options.set("lower_variables", Value(p.at("ny").get<int>()));
    k.options.set("upper_objective", Value(p.at("F").get<std::string>()));
    k.options.set("upper_constraints", texts(p.at("G")));
    k.options.set("lower_objective", Value(p.at("f").get<std::string>()));
    k.options.set("lower_constraints", texts(p.at("g")));
    Value::Array start;
    for (const auto& e : p.at("start")) start.emplace_back(e.get<double>());
    k.options.set("start", Value(std::move(start)));
    cases.push_back(std::move(k));
  }
  return cases;
}

class Collection : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
    if (folder == nullptr || *folder == '\0')
      GTEST_SKIP()
          << "LIBSOLVE_DATA_DIR is not set: it names the folder that holds bilevel/problems.json";
    const std::string file = std::string(folder) + "/bilevel/problems.json";
    if (!std::ifstream(file)) GTEST_SKIP() << "there is no file " << file;
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    for (const auto& [kind, name] : {std::pair("problem-source", "bilevel-formulas"),
                                     std::pair("program-solver", "sketch-newton"),
                                     std::pair("bilevel-solver", "lv-hba-scaled")})
      if (registry_.find(kind, name) == nullptr) GTEST_SKIP() << "no " << name << " in this build";
    context_.registry = &registry_;
    cases_ = read_collection(file);
    ASSERT_EQ(cases_.size(), 48u);
  }

  std::unique_ptr<BilevelProgram> problem_of(const Known& known) {
    ComponentSpec spec("bilevel-formulas");
    spec.options = known.options;
    auto made = context_.make<ProblemSource>(spec)->create();
    return std::unique_ptr<BilevelProgram>(dynamic_cast<BilevelProgram*>(made.release()));
  }

  Registry registry_;
  Context context_;
  std::vector<Known> cases_;
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
  int solved = 0;
  for (const Known& k : cases_) {
    const auto problem = problem_of(k);
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

/// Of the 48 cases, 35 have a convex lower level, and that is found out.
TEST_F(Collection, ConvexityIsFoundOut) {
  for (const Known& k : cases_)
    EXPECT_EQ(problem_of(k)->parts().lower_is_convex, k.form != "nonconvex") << k.name;
}

/// The smallest value of the lower level at x on a grid of Y within [-10, 10], refined.
std::pair<double, Numbers> scanned(const BilevelProgram& p, std::span<const double> x) {
  const BilevelParts& parts = p.parts();
  const auto ny = static_cast<std::size_t>(p.num_lower());
  const HostAccess lower(p.lower());
  const int cells = ny == 1 ? 2000 : 120;
  Numbers v(x.begin(), x.end()), g(parts.lower_constraints.size()), centre(ny), reach(ny), best;
  for (std::size_t j = 0; j < ny; ++j) {
    const double low = std::max(parts.lower_variables.lower[j], -10.0);
    const double high = std::min(parts.lower_variables.upper[j], 10.0);
    centre[j] = 0.5 * (low + high);
    reach[j] = 0.5 * (high - low);
  }
  v.resize(x.size() + ny);
  double smallest = INFINITY;
  for (int refinement = 0; refinement < 8; ++refinement) {
    std::vector<int> at(ny, 0);
    for (bool more = true; more;) {
      for (std::size_t j = 0; j < ny; ++j)
        v[x.size() + j] =
            std::clamp(centre[j] + reach[j] * (2.0 * at[j] / cells - 1.0),
                       parts.lower_variables.lower[j], parts.lower_variables.upper[j]);
      lower.constraints(v, g);
      const double f = lower.objective(v);
      if (f < smallest && std::all_of(g.begin(), g.end(), [](double c) { return c <= 0.0; })) {
        smallest = f;
        best.assign(v.begin() + static_cast<std::ptrdiff_t>(x.size()), v.end());
      }
      more = false;
      for (std::size_t j = 0; j < ny && !more; ++j) {
        more = at[j]++ < cells;
        if (!more) at[j] = 0;
      }
    }
    if (best.empty()) break;
    centre = best;
    for (double& r : reach) r *= 8.0 / cells;
  }
  return {smallest, best};
}

/// The smallest values of lower levels that are not convex are bounded to 1e-6 wherever the upper
/// level may look.
TEST_F(Collection, NonconvexLowerLevelsAreBounded) {
  const RandomStream stream(1, "collection_test");
  std::uint64_t draw = 0;
  int tried = 0;
  for (const Known& known : cases_) {
    const auto program = problem_of(known);
    const std::string& name = known.name;
    const BilevelParts& parts = program->parts();
    if (parts.lower_is_convex) continue;
    ASSERT_EQ(program->num_upper(), 1);
    const double low = std::max(parts.upper_variables.lower[0], -3.0);
    const double high = std::min(parts.upper_variables.upper[0], 3.0);
    for (int k = 0; k < 8; ++k) {
      const Numbers x = {k == 0 ? program->host_v()[0] : stream.uniform(draw++, low, high)};
      const auto [smallest, y] = scanned(*program, x);
      if (y.empty()) continue;
      const LowerBound b = bound_lower_level(*program, x, y, smallest);
      EXPECT_TRUE(b.is_proved) << name << " at x = " << x[0] << " after " << b.boxes;
      EXPECT_LE(b.bound, smallest) << name;
      // Nowhere on the grid is f lower, and the search's own point, which is feasible, attains it.
      Numbers v = x, g(parts.lower_constraints.size());
      v.insert(v.end(), b.y.begin(), b.y.end());
      HostAccess(program->lower()).constraints(v, g);
      for (const double c : g) EXPECT_LE(c, 0.0) << name;
      const double f = HostAccess(program->lower()).objective(v);
      EXPECT_LE(f, smallest) << name;
      EXPECT_GE(b.bound, f - 1e-6 * std::max(1.0, std::abs(f))) << name;
      EXPECT_LT(b.boxes, 500) << name;
      ++tried;
    }
  }
  EXPECT_GT(tried, 90);
}

}  // namespace
