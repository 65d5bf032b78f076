#include <gtest/gtest.h>

#include <fstream>
#include <libsolve/io/case_file.hpp>
#include <libsolve/run/case.hpp>
#include <tests/cli/test_components.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

struct Cases : ::testing::Test {
  Cases() {
    Registrar registrar(registry, "", "0");
    test::register_test_components(registrar);
  }
  Case resolve(const std::string& text, const std::vector<std::string>& overrides = {}) {
    std::ofstream(folder.file("case.toml")) << text;
    return resolve_case(load_case(folder.file("case.toml"), overrides), registry);
  }
  /// "line: key: message" of everything wrong, files without their folder.
  std::vector<std::string> problems(const std::string& text,
                                    const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> found;
    try {
      resolve(text, overrides);
    } catch (const InputError& e) {
      for (Diagnostic d : e.problems()) {
        if (d.where.file != "--set") d.where.file = "case.toml";
        found.push_back(to_string(d));
      }
    }
    return found;
  }
  static bool has(const std::vector<std::string>& all, const std::string& begin,
                  const std::string& part) {
    for (const std::string& p : all)
      if (p.rfind(begin, 0) == 0 && p.find(part) != std::string::npos) return true;
    std::string text;
    for (const std::string& p : all) text += p + "\n";
    ADD_FAILURE() << "not reported: " << begin << " ... " << part << "\nreported:\n" << text;
    return false;
  }
  static inline const std::string good =
      "[problem]\nsource = \"test-grid\"\nsize = [4, 4]\n[method]\nname = \"test-patient\"\n";
  test::TemporaryFolder folder;
  Registry registry;
};

TEST_F(Cases, ResolvedCaseHoldsEveryDefaultAndRunsTheSame) {
  const Case c = resolve(good, {"method.rate=0.25", "run.time_limit=2m"});
  EXPECT_EQ(c.problem.name, "test-grid");
  EXPECT_EQ(c.problem_class, "linear");
  EXPECT_EQ(c.method_kind, "linear-solver");
  EXPECT_EQ(c.time_limit_s, 120.0);
  EXPECT_EQ(c.record.overrides.size(), 2u);
  const Value again = parse_toml(c.record.resolved, "resolved");
  EXPECT_EQ(again.find("method")->find("rate")->as_number(), 0.25);
  EXPECT_EQ(again.find("method")->find("max_iterations")->as_integer(), 1000);
  EXPECT_EQ(again.find("output")->find("file")->as_string(), "results.h5");
  EXPECT_EQ(resolve(c.record.resolved).record.resolved, c.record.resolved);
}

TEST_F(Cases, NamesAloneAreEnough) {
  const Case c = resolve("problem = \"test-grid\"\nmethod = \"test-patient\"\n");
  EXPECT_EQ(c.method.name, "test-patient");
}

TEST_F(Cases, EverythingWrongIsReportedTogether) {
  const auto found = problems(
      "[problem]\n"                // 1
      "source = \"test-grid\"\n"   // 2
      "sise = [4, 4]\n"            // 3
      "file = \"nothing.h5\"\n"    // 4
      "[method]\n"                 // 5
      "name = \"test-patient\"\n"  // 6
      "rate = 1.5\n"               // 7
      "delay_s = \"long\"\n"       // 8
      "outcome = \"convergd\"\n"   // 9
      "[outptu]\n"                 // 10
      "file = \"a.h5\"\n"          // 11
      "[run]\n"                    // 12
      "sed = 3\n"                  // 13
      "time_limit = \"soon\"\n");  // 14
  EXPECT_EQ(found.size(), 8u);
  has(found, "case.toml:3: problem.sise: ", "closest known option: 'size'");
  has(found, "case.toml:4: problem.file: ", "there is no file");
  has(found, "case.toml:7: method.rate: ", "in (0, 1)");
  has(found, "case.toml:8: method.delay_s: ", "a number");
  has(found, "case.toml:9: method.outcome: ", "did you mean \"converged\"");
  has(found, "case.toml:10: outptu: ", "did you mean [output]?");
  has(found, "case.toml:13: run.sed: ", "closest known option: 'seed'");
  has(found, "case.toml:14: run.time_limit: ", "must be a duration");
}

TEST_F(Cases, MissingTablesAndNames) {
  auto found = problems("");
  has(found, "case.toml: problem: ", "missing");
  has(found, "case.toml: method: ", "(available: test-patient)");
  found = problems("[problem]\nsorce = \"test-grid\"\n[method]\nname = 3\n");
  has(found, "case.toml:1: problem.source: ", "'sorce' is close");
  has(found, "case.toml:4: method.name: ", "must be a string");
}

TEST_F(Cases, UnknownNamesComeWithTheNearest) {
  const auto found =
      problems("[problem]\nsource = \"test-gird\"\n[method]\nname = \"test-patien\"\n");
  has(found, "case.toml:2: problem", "did you mean 'test-grid'?");
  has(found, "case.toml:4: method", "did you mean 'test-patient'?");
}

TEST_F(Cases, ErrorsOfOverridesPointToTheCommandLine) {
  const auto found = problems(good, {"method.rate=7", "method.rte=0.5", "output.data=3"});
  has(found, "--set: method.rate: ", "in (0, 1)");
  has(found, "--set: method.rte: ", "closest known option: 'rate'");
  has(found, "--set: output.data: ", "true or false");
}

TEST_F(Cases, FilesAreRelativeToTheCase) {
  std::ofstream(folder.file("field.h5")) << "x";
  EXPECT_TRUE(problems(good, {"problem.file=field.h5"}).empty());
  EXPECT_TRUE(problems(good, {"problem.file=" + folder.file("field.h5")}).empty());
  has(problems(good, {"problem.file=fiel.h5"}),
      "--set: problem.file: ", "did you mean 'field.h5'?");
}

}  // namespace
}  // namespace libsolve
