#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/run/case.hpp>
#include <sstream>

/// The cases of data/optimize/hs, whose minima are known (optima.csv).
namespace {

using namespace libsolve;

const std::string folder = LIBSOLVE_SOURCE_DIR "/data/optimize/hs";

struct Known {
  std::string name;
  std::vector<double> minima = {};  ///< the global one first
};

std::vector<Known> known_minima() {
  std::ifstream file(folder + "/optima.csv");
  std::string line;
  std::getline(file, line);
  std::vector<Known> cases;
  while (std::getline(file, line)) {
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == ',' || c == ';'; }, ' ');
    std::istringstream words(line);
    Known k;
    words >> k.name;
    for (double f = 0.0; words >> f;) k.minima.push_back(f);
    cases.push_back(k);
  }
  return cases;
}

class KnownMinima : public testing::Test {
 protected:
  void SetUp() override {
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    if (registry_.find("problem-source", "formulas") == nullptr)
      GTEST_SKIP() << "no formulas in this build";
  }

  std::unique_ptr<Problem> problem_of(const std::string& name) {
    const LoadedCase loaded = load_case(folder + "/" + name + ".toml", {});
    Context context;
    context.registry = &registry_;
    ComponentSpec spec("formulas");
    spec.options = *loaded.root.find("problem");
    std::erase_if(spec.options.as_table(),
                  [](const auto& entry) { return entry.first == "source"; });
    return context.make<ProblemSource>(spec)->create();
  }

  Registry registry_;
};

/// A measure of the test's own: the nearest of the minima known.
double gap(const Known& known, double f) {
  double least = INFINITY;
  for (const double m : known.minima)
    least = std::min(least, std::abs(f - m) / std::max(1.0, std::abs(m)));
  return least;
}

TEST_F(KnownMinima, AreReached) {
  // A barrier method's answers end short of degenerate active sets; ours are to be there.
  struct Allowed {
    const char* method;
    int unsolved;
  };
  const auto cases = known_minima();
  ASSERT_GE(cases.size(), 60U);
  bool found_one = false;
  for (const auto& [method, unsolved] : {Allowed{"sketch-newton", 1}, Allowed{"ipopt", 5}}) {
    if (registry_.find("program-solver", method) == nullptr) continue;
    found_one = true;
    int missed = 0;
    std::string names;
    for (const Known& known : cases) {
      const auto problem = problem_of(known.name);
      Context context;
      context.registry = &registry_;
      const auto solver = context.make<ProgramSolver>(ComponentSpec(method));
      const Report report = static_cast<Method&>(*solver).solve(*problem, Monitor::none());
      const auto& program = dynamic_cast<const NonlinearProgram&>(*problem);
      const double f = HostAccess(program.functions()).objective(program.host_x());
      if (!report.converged()) {
        ++missed;
        names += " " + known.name;
        continue;
      }
      EXPECT_LE(program.kkt_residual().largest(), 1e-6) << method << ": " << known.name;
      EXPECT_LE(gap(known, f), 1e-5) << method << ": " << known.name << " ends at f = " << f;
    }
    EXPECT_LE(missed, unsolved) << method << ":" << names;
  }
  if (!found_one) GTEST_SKIP() << "no method for nonlinear programs in this build";
}

}  // namespace
