#include <gtest/gtest.h>

#include <fstream>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/run/compare.hpp>
#include <nlohmann/json.hpp>
#include <tests/cli/test_components.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

/// M = weight I, and a solver that only needs to be asked for with one.
struct ScaledOptions {
  double weight = 1.0;
  static void describe(Fields<ScaledOptions>& f) {
    f.add("weight", &ScaledOptions::weight, Range::above(0.0), "factor");
  }
};
class Scaled final : public Preconditioner {
 public:
  using Options = ScaledOptions;
  Scaled(const Options& options, const Context&) : options_(options) {}
  void setup(const LinearSystem&) override {}
  void apply(const Vector& r, const Vector& z) override {
    linear_combination(options_.weight, r, 0.0, r, z);
  }
  bool is_symmetric() const override { return true; }

 private:
  Options options_;
};

struct StepOptions {
  StoppingCriteria stopping = {};
  ComponentSpec preconditioner = "none";
  bool loud = false;
  static void describe(Fields<StepOptions>& f) {
    f.add_group(&StepOptions::stopping);
    f.add("loud", &StepOptions::loud, "does nothing");
    f.add_component("preconditioner", &StepOptions::preconditioner, Preconditioner::kind, "M");
  }
};
/// x += M r: solves 2 x = 1 in one step with M = 1/2, and no other way.
class Step final : public LinearSolver {
 public:
  using Options = StepOptions;
  Step(const Options& options, const Context& context) {
    if (options.preconditioner.name != "none")
      M_ = context.make<Preconditioner>(options.preconditioner);
  }
  void setup(const LinearSystem& system) override {
    if (!M_) throw Unsupported("test-step needs a preconditioner");
    M_->setup(system);
  }
  using LinearSolver::solve;
  Report solve(LinearSystem& system, Monitor& monitor) override {
    const Vector r = system.b().like("test::r"), z = system.x().like("test::z");
    const double first = std::sqrt(system.A().residual(system.b(), system.x(), r));
    const Sample before[] = {{"residual_norm", first}};
    monitor.observe(0, before);
    M_->apply(r, z);
    axpy(1.0, z, system.x());
    Report report;
    report.iterations = 1;
    const double norm = std::sqrt(system.A().residual(system.b(), system.x(), r));
    report.measures = {{"relative_residual", norm / norm2(system.b()), ""}};
    report.metrics = {{"memory_bytes", 1000.0, "B"}};
    report.status = norm == 0.0 ? Status::converged : Status::stagnated;
    report.reason = "one step";
    return report;
  }

 private:
  std::unique_ptr<Preconditioner> M_;
};

struct Compares : ::testing::Test {
  Compares() {
    Registrar registrar(registry, "", "0");
    test::register_test_components(registrar);
    registrar.add<Scaled>({.name = "test-scaled", .summary = "weight times the identity"});
    registrar.add<Step>({.name = "test-step", .summary = "one step"});
  }
  Case load(const std::string& method, std::vector<std::string> overrides = {}) {
    std::ofstream(folder.file("case.toml"))
        << "[problem]\nsource = \"test-grid\"\nsize = [4, 3, 2]\n[method]\n"
        << method << "\n";
    overrides.push_back("output.file=" + folder.file("results.h5"));
    return resolve_case(load_case(folder.file("case.toml"), overrides), registry);
  }
  Comparison compare(const Case& c, const std::string& methods, RunSettings settings = {}) {
    return compare_case(c, compared_methods(methods, c, registry), registry, settings);
  }
  /// Everything that is wrong with a list of methods.
  std::string problems_of(const std::string& methods) {
    const Case c = load("name = \"test-patient\"");
    try {
      (void)compared_methods(methods, c, registry);
    } catch (const InputError& e) {
      return e.what();
    }
    return {};
  }
  test::TemporaryFolder folder;
  Registry registry;
};

const char* const patient = "name = \"test-patient\"\nrelative_tolerance = 1e-6\nrate = 0.25";

TEST_F(Compares, OptionsComeFromTheCaseWhereTheyFit) {
  const Case c = load(
      "name = \"test-step\"\nloud = true\nrelative_tolerance = 1e-5\n"
      "preconditioner = { name = \"test-scaled\", weight = 0.5 }");
  const auto methods =
      compared_methods("test-patient, test-step+test-scaled,test-step", c, registry);
  ASSERT_EQ(methods.size(), 3u);
  EXPECT_EQ(methods[0].label, "test-patient");
  EXPECT_EQ(methods[0].resolved.find("relative_tolerance")->as_number(), 1e-5);
  EXPECT_EQ(methods[0].resolved.find("rate")->as_number(), 0.5);
  EXPECT_EQ(methods[1].label, "test-step+test-scaled");
  EXPECT_TRUE(methods[1].resolved.find("loud")->as_bool());
  EXPECT_EQ(methods[1].resolved.find("preconditioner")->find("weight")->as_number(), 0.5);
  // Alone means alone: without the preconditioner of the case.
  EXPECT_EQ(methods[2].resolved.find("preconditioner")->as_string(), "none");
  EXPECT_TRUE(methods[2].resolved.find("loud")->as_bool());
}

TEST_F(Compares, UnknownNamesAreRefusedTogether) {
  const std::string text =
      problems_of("test-patent,test-step+test-scald,test-patient+test-scaled,a+b+c,");
  EXPECT_NE(text.find("'test-patient'?"), std::string::npos) << text;
  EXPECT_NE(text.find("'test-scaled'?"), std::string::npos) << text;
  EXPECT_NE(text.find("takes no preconditioner"), std::string::npos) << text;
  EXPECT_NE(text.find("a+b+c"), std::string::npos) << text;
  EXPECT_EQ(problems_of("test-patient"), "");
}

TEST_F(Compares, EachMethodStartsFromTheSameX) {
  const Case c = load(patient);
  const Comparison result = compare(c, "test-patient,test-patient");
  ASSERT_EQ(result.rows.size(), 2u);
  EXPECT_EQ(result.exit_code, ExitCode::converged);
  EXPECT_EQ(result.rows[0].iterations, result.rows[1].iterations);
  EXPECT_GT(result.rows[0].iterations, 5);
  EXPECT_LE(result.rows[1].relative_residual, 1e-6);
  EXPECT_EQ(result.rows[0].ratio, 1.0);
  EXPECT_GT(result.rows[1].ratio, 0.0);
  EXPECT_GT(result.rows[0].td, 0.0);
  EXPECT_NEAR(result.rows[0].td,
              (result.rows[0].setup_seconds + result.rows[0].solve_seconds) / 24.0 /
                  result.triad_seconds_per_double,
              1e-9 * result.rows[0].td);
}

TEST_F(Compares, FailuresAreRowsThatSayWhy) {
  const Case c = load("name = \"test-step\"\npreconditioner = {name=\"test-scaled\",weight=0.5}");
  const Comparison result = compare(c, "test-step+test-scaled,test-step,test-patient");
  ASSERT_EQ(result.rows.size(), 3u);
  EXPECT_EQ(result.rows[0].status, "converged");
  EXPECT_EQ(result.rows[0].memory_bytes, 1000.0);
  EXPECT_EQ(result.rows[1].status, "unsupported");
  EXPECT_NE(result.rows[1].reason.find("needs a preconditioner"), std::string::npos);
  EXPECT_EQ(result.rows[2].status, "converged");
  EXPECT_EQ(result.exit_code, ExitCode::not_converged);

  const Comparison broken = compare(load("name = \"test-patient\"\noutcome = \"throws\""),
                                    "test-step+test-scaled,test-patient");
  EXPECT_EQ(broken.exit_code, ExitCode::breakdown);
  EXPECT_EQ(broken.rows[1].reason, "pivot 3 is zero");
  // Not the method's word, the problem's.
  const Comparison lies =
      compare(load("name = \"test-patient\"\noutcome = \"lies\""), "test-patient");
  EXPECT_EQ(lies.rows[0].status, "stagnated");
  EXPECT_NEAR(lies.rows[0].relative_residual, 0.25, 1e-12);
}

TEST_F(Compares, AnInterruptEndsTheComparison) {
  std::atomic<int> flag = 15;
  const Comparison result =
      compare(load(patient), "test-patient,test-patient", {.stop_flag = &flag});
  EXPECT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.exit_code, ExitCode::interrupted);
}

TEST_F(Compares, TheFileHoldsTheTable) {
  const Comparison result = compare(load(patient), "test-patient,test-step");
  EXPECT_EQ(result.results_path, folder.file("results.h5"));
  const Hdf5File f = Hdf5File::open(result.results_path);
  EXPECT_EQ(f.texts("/compare/method"), (std::vector<std::string>{"test-patient", "test-step"}));
  EXPECT_EQ(f.texts("/compare/status"), (std::vector<std::string>{"converged", "unsupported"}));
  EXPECT_EQ(f.numbers("/compare/iterations")[0], static_cast<double>(result.rows[0].iterations));
  EXPECT_EQ(f.numbers("/compare/relative_residual")[0], result.rows[0].relative_residual);
  EXPECT_TRUE(std::isnan(f.numbers("/compare/td")[1]));
  EXPECT_EQ(f.text_attribute("/compare/memory_bytes", "units"), "B");
  EXPECT_EQ(f.numbers("/compare/rows/0/iteration").size(),
            static_cast<size_t>(result.rows[0].iterations) + 1);
  EXPECT_NE(f.text("/compare/rows/0/options").find("rate = 0.25"), std::string::npos);
  EXPECT_EQ(f.text_attribute("/report", "status"), "converged");
  EXPECT_NEAR(f.numbers("/solution/x")[5], 0.5, 1e-6) << "that of the first method";
}

TEST_F(Compares, TextAndJsonSayTheSame) {
  Comparison c;
  c.problem = "2 x = 1";
  c.unknowns = 24.0;
  c.triad_seconds_per_double = 4e-10;
  c.results_path = "results.h5";
  ComparisonRow a{.method = "cg+multigrid", .status = "converged", .reason = "r"};
  a.setup_seconds = 0.5;
  a.solve_seconds = 1.25;
  a.iterations = 7;
  a.memory_bytes = 2.5e8;
  a.td = 123.4;
  a.ratio = 1.0;
  a.relative_residual = 3.2e-9;
  ComparisonRow b{.method = "x", .status = "unsupported", .reason = "needs a grid"};
  b.memory_bytes = b.td = b.ratio = b.relative_residual = std::nan("");
  c.rows = {a, b};
  EXPECT_EQ(
      comparison_text(c),
      "2 x = 1: 24 unknowns, 1 rank, 1 thread, triad 20.0 GB/s\n"
      "method          set-up   solve  iterations    memory   td  ratio  residual  status\n"
      "cg+multigrid  500.0 ms  1.25 s           7  250.0 MB  123   1.00   3.2e-09  converged\n"
      "x                    -       -           0         -    -      -         -  unsupported\n"
      "x: unsupported: needs a grid\n");
  const auto json = nlohmann::json::parse(comparison_json(c));
  EXPECT_EQ(json["rows"][0]["method"], "cg+multigrid");
  EXPECT_EQ(json["rows"][0]["td"], 123.4);
  EXPECT_TRUE(json["rows"][1]["ratio"].is_null());
  EXPECT_EQ(json["triad_bandwidth"], 2e10);
  EXPECT_EQ(json["results"], "results.h5");
}

}  // namespace
}  // namespace libsolve
