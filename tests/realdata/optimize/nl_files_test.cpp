#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/loader.hpp>
#include <sstream>

/// Problems of the CUTEst collection in .nl files: their sizes, the objective at the start as other
/// solvers saw it, and derivatives against differences of the functions along random directions.
namespace {

using namespace libsolve;
using Numbers = std::vector<double>;

struct CutestCase {
  std::string name, problem_class;
  int n = 0, m = 0, m_equalities = 0, has_bounds = 0;
  double f0 = 0.0;
};

std::vector<CutestCase> cases_of(const std::string& folder) {
  std::ifstream file(folder + "/cases.csv");
  std::string line;
  std::getline(file, line);
  std::vector<CutestCase> cases;
  while (std::getline(file, line)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    CutestCase c;
    std::istringstream(line) >> c.name >> c.problem_class >> c.n >> c.m >> c.m_equalities >>
        c.has_bounds >> c.f0;
    cases.push_back(c);
  }
  return cases;
}

std::unique_ptr<Problem> read(const Registry& registry, const std::string& file) {
  Context context;
  context.registry = &registry;
  ComponentSpec spec("nl");
  spec.options.set("file", file);
  return context.make<ProblemSource>(spec)->create();
}

double norm(const Numbers& v) {
  double s = 0.0;
  for (const double x : v) s += x * x;
  return std::sqrt(s);
}

Numbers moved(Numbers x, double step, const Numbers& v) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += step * v[i];
  return x;
}

Numbers gradient_of_lagrangian(const HostAccess& at, const Numbers& x, const Numbers& lambda) {
  Numbers g(x.size()), Jt(x.size(), 0.0);
  at.gradient(x, g);
  if (!lambda.empty()) at.apply_jacobian_adjoint(x, lambda, Jt);
  return moved(g, 1.0, Jt);
}

/// |derivative - difference| over the size of either, plus what rounding of the values does to the
/// difference.
double defect(const Numbers& derivative, const Numbers& ahead, const Numbers& behind, double h) {
  Numbers difference = moved(ahead, -1.0, behind);
  for (double& d : difference) d /= 2.0 * h;
  const double noise = 1e-15 * (norm(ahead) + norm(behind)) / h;
  return norm(moved(difference, -1.0, derivative)) /
         (1e-8 + norm(derivative) + norm(difference) + 1e6 * noise);
}

/// Away from bounds, where powers and logarithms end.
Numbers inside(const Bounds& bounds, Numbers x) {
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double margin = std::min(0.01, 0.25 * (bounds.upper[j] - bounds.lower[j]));
    x[j] = std::min(std::max(x[j], bounds.lower[j] + margin), bounds.upper[j] - margin);
  }
  return x;
}

void check_directions(const NonlinearProgram& p, const std::string& name) {
  const HostAccess at(p.functions());
  const Numbers x = inside(p.variable_bounds(), p.host_x());
  const std::size_t m = static_cast<std::size_t>(p.num_constraints());
  const RandomStream stream(1, "nl_files::direction");
  Numbers v(x.size()), lambda(m), g(x.size()), Jv(m), Wv(x.size()), ahead(m), behind(m);
  for (std::size_t j = 0; j < v.size(); ++j)
    v[j] = stream.uniform(j, -1.0, 1.0) * std::max(1.0, std::abs(x[j]));
  for (std::size_t i = 0; i < m; ++i) lambda[i] = stream.uniform(v.size() + i, -1.0, 1.0);
  const double h = 1e-6;
  const Numbers up = moved(x, h, v), down = moved(x, -h, v);
  at.gradient(x, g);
  double slope = 0.0;
  for (std::size_t j = 0; j < v.size(); ++j) slope += g[j] * v[j];
  EXPECT_LT(defect({slope}, {at.objective(up)}, {at.objective(down)}, h), 1e-5) << name << " f'";
  if (m > 0) {
    at.constraints(up, ahead);
    at.constraints(down, behind);
    at.apply_jacobian(x, v, Jv);
    EXPECT_LT(defect(Jv, ahead, behind, h), 1e-5) << name << " J";
  }
  at.apply_hessian(x, 1.0, lambda, v, Wv);
  EXPECT_LT(defect(Wv, gradient_of_lagrangian(at, up, lambda),
                   gradient_of_lagrangian(at, down, lambda), h),
            1e-5)
      << name << " W";
}

class NlFiles : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
    if (folder != nullptr) folder_ = folder;
    if (folder == nullptr || !std::filesystem::exists(folder_ + "/nl/cases.csv"))
      GTEST_SKIP() << "LIBSOLVE_DATA_DIR names no folder with nl/cases.csv";
    load_plugins(registry_, {.files = {}, .path = "", .installed_folder = std::nullopt});
    if (registry_.find("problem-source", "nl") == nullptr) GTEST_SKIP() << "no nl in this build";
  }
  Registry registry_;
  std::string folder_;
};

TEST_F(NlFiles, HaveTheValuesThatOthersSawAndTheirDerivatives) {
  const auto cases = cases_of(folder_ + "/nl");
  ASSERT_FALSE(cases.empty());
  for (const CutestCase& c : cases) {
    const auto problem = read(registry_, folder_ + "/nl/" + c.name + ".nl");
    const auto& p = dynamic_cast<const NonlinearProgram&>(*problem);
    EXPECT_LE(p.num_variables(), c.n) << c.name;  // without those that nothing depends on
    EXPECT_EQ(p.num_constraints(), c.m) << c.name;
    const Bounds& bounds = p.constraint_bounds();
    int equalities = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) equalities += bounds.is_equality(i) ? 1 : 0;
    EXPECT_EQ(equalities, c.m_equalities) << c.name;
    const double f0 = HostAccess(p.functions()).objective(p.host_x());
    EXPECT_LE(std::abs(f0 - c.f0), 1e-9 * std::max(1.0, std::abs(c.f0))) << c.name;
    check_directions(p, c.name);
    const DerivativeCheck check = check_derivatives(p, {.max_columns = 20});
    EXPECT_TRUE(check.passed() && check.checked_any()) << c.name;
  }
}

}  // namespace
