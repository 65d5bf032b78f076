#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <libsolve/core/version.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/run/run.hpp>
#include <tests/cli/test_components.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

struct Runs : ::testing::Test {
  Runs() {
    Registrar registrar(registry, "", "0");
    test::register_test_components(registrar);
    std::ofstream(folder.file("case.toml")) << "[problem]\nsource = \"test-grid\"\nsize = [4, 3, "
                                               "2]\n[method]\nname = \"test-patient\"\n";
  }
  RunOutcome run(std::vector<std::string> overrides = {}, RunSettings settings = {}) {
    overrides.push_back("output.file=" + folder.file("results.h5"));
    return run_case(resolve_case(load_case(folder.file("case.toml"), overrides), registry),
                    registry, settings);
  }
  Hdf5File results() { return Hdf5File::open(folder.file("results.h5")); }
  test::TemporaryFolder folder;
  Registry registry;
};

TEST_F(Runs, ResultsHoldTheRun) {
  const RunOutcome outcome = run({"output.data=true"}, {.command = "libsolve run case.toml"});
  EXPECT_EQ(outcome.exit_code, ExitCode::converged) << outcome.report.reason;
  EXPECT_EQ(outcome.results_path, folder.file("results.h5"));
  EXPECT_LE(outcome.report.value("relative_residual"), 1e-8);
  EXPECT_EQ(outcome.report.value("unknowns"), 24.0);

  const Hdf5File f = results();
  EXPECT_EQ(f.number_attribute("/", "schema"), 1.0);
  EXPECT_EQ(f.text_attribute("/", "libsolve_version"), LIBSOLVE_VERSION);
  EXPECT_EQ(f.text_attribute("/", "created").back(), 'Z');
  EXPECT_NE(f.text("/case/text").find("source = \"test-grid\""), std::string::npos);
  EXPECT_EQ(f.texts("/case/overrides")[0], "output.data=true");
  const Value resolved = parse_toml(f.text("/case/resolved"), "resolved");
  EXPECT_EQ(resolved.find("method")->find("max_iterations")->as_integer(), 1000);
  EXPECT_EQ(f.text_attribute("/report", "status"), "converged");
  EXPECT_EQ(f.number_attribute("/report", "exit_code"), 0.0);
  EXPECT_EQ(f.number_attribute("/report", "iterations"),
            static_cast<double>(outcome.report.iterations));
  EXPECT_EQ(f.numbers("/report/measures/relative_residual")[0],
            outcome.report.value("relative_residual"));
  EXPECT_EQ(f.text_attribute("/report/seconds/solve", "units"), "s");
  EXPECT_EQ(f.numbers("/metrics/unknowns")[0], 24.0);
  EXPECT_EQ(f.number_attribute("/environment", "seed"), 1.0);
  EXPECT_EQ(f.text("/environment/command"), "libsolve run case.toml");
  EXPECT_FALSE(f.text("/environment/kokkos").empty());
  EXPECT_EQ(f.members("/environment/plugins"), std::vector<std::string>{"built-in"});

  const auto iterations = f.numbers("/history/iteration");
  const auto norms = f.numbers("/history/relative_residual");
  ASSERT_EQ(iterations.size(), static_cast<size_t>(outcome.report.iterations) + 1);
  EXPECT_EQ(norms.size(), iterations.size());
  EXPECT_EQ(norms.front(), 1.0);

  EXPECT_EQ(f.shape("/solution/x"), (std::vector<GlobalIndex>{2, 3, 4}));
  EXPECT_NEAR(f.numbers("/solution/x")[5], 0.5, 1e-8);
  EXPECT_EQ(f.text_attribute("/solution/x", "units"), "m");
  EXPECT_EQ(f.text_attribute("/solution/x", "description"), "solution of A x = b");
  EXPECT_EQ(f.attribute_to_text("/VTKHDF", "Type"), "ImageData");
  EXPECT_EQ(f.attribute_to_text("/VTKHDF", "WholeExtent"), "0 4 0 3 0 2");
  EXPECT_EQ(f.attribute_to_text("/VTKHDF", "Version"), "2 0");
  EXPECT_EQ(f.members("/VTKHDF/CellData"), (std::vector<std::string>{"b", "x"}));
  EXPECT_EQ(f.numbers("/data/b"), std::vector<double>(24, 1.0));
}

TEST_F(Runs, NothingElseIsLeftInTheFolder) {
  run({"method.delay_s=0.01", "output.snapshot_interval=20ms"});
  std::vector<std::string> names;
  for (const auto& e : std::filesystem::directory_iterator(folder.path()))
    names.push_back(e.path().filename().string());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"case.toml", "results.h5"}));
}

TEST_F(Runs, ExitCodesFollowTheStatus) {
  EXPECT_EQ(run({"method.max_iterations=2"}).exit_code, ExitCode::not_converged);
  EXPECT_EQ(run({"method.outcome=breakdown"}).exit_code, ExitCode::breakdown);
  EXPECT_EQ(run({"method.outcome=non_finite"}).exit_code, ExitCode::breakdown);
  EXPECT_EQ(results().text_attribute("/report", "status"), "non_finite");
  const RunOutcome thrown = run({"method.outcome=throws"});
  EXPECT_EQ(thrown.exit_code, ExitCode::breakdown);
  EXPECT_EQ(thrown.report.reason, "pivot 3 is zero");
  EXPECT_THROW(run({"method.outcome=unsupported"}), Unsupported);
  EXPECT_EQ(run({"run.time_limit=0.05", "method.delay_s=0.02"}).exit_code, ExitCode::not_converged);
  EXPECT_EQ(results().text_attribute("/report", "status"), "time_limit");
  std::atomic<int> flag = 15;
  EXPECT_EQ(run({}, {.stop_flag = &flag}).exit_code, ExitCode::interrupted);
  EXPECT_EQ(results().text_attribute("/report", "status"), "interrupted");
  EXPECT_NE(results().texts("/report/notes")[0].find("SIGTERM"), std::string::npos);
}

/// The measures in the report are the problem's; a method that says otherwise is named.
TEST_F(Runs, MeasuresAreRecomputed) {
  const RunOutcome outcome = run({"method.outcome=lies"});
  EXPECT_EQ(outcome.exit_code, ExitCode::not_converged);
  EXPECT_EQ(outcome.report.status, Status::stagnated) << "converged only with the problem's word";
  EXPECT_NE(outcome.report.reason.find("recomputed"), std::string::npos);
  EXPECT_NEAR(outcome.report.value("relative_residual"), 0.25, 1e-12);
  ASSERT_FALSE(outcome.report.notes.empty());
  EXPECT_NE(outcome.report.notes[0].find("recomputed"), std::string::npos);
}

TEST_F(Runs, ResumeStartsFromTheEarlierSolution) {
  const RunOutcome first = run({"method.max_iterations=10"});
  const RunOutcome second = run({"method.max_iterations=1000"}, {.resume = true});
  EXPECT_EQ(second.exit_code, ExitCode::converged);
  EXPECT_LT(second.report.iterations, 20);
  EXPECT_NE(second.report.notes[0].find("resumed"), std::string::npos);
  EXPECT_THROW(run({"problem.size=[5, 5]"}, {.resume = true}), InputError);
  std::filesystem::remove(folder.file("results.h5"));
  EXPECT_NE(run({}, {.resume = true}).report.notes[0].find("nothing to resume"), std::string::npos);
  EXPECT_EQ(first.exit_code, ExitCode::not_converged);
}

TEST_F(Runs, UnwritableResultsAreSeenBeforeTheSolve) {
  const auto to = [&](const std::string& path) {
    std::vector<std::string> overrides = {"output.file=" + path, "method.outcome=unsupported"};
    return run_case(resolve_case(load_case(folder.file("case.toml"), overrides), registry),
                    registry, RunSettings());
  };
  std::ofstream(folder.file("plain")) << "x";
  const RunOutcome outcome = to(folder.file("plain") + "/results.h5");
  EXPECT_EQ(outcome.exit_code, ExitCode::unwritable);
  EXPECT_NE(outcome.error.find("plain"), std::string::npos);
  EXPECT_EQ(to(folder.path()).exit_code, ExitCode::unwritable);
}

TEST_F(Runs, MissingFoldersAreMade) {
  const std::vector<std::string> overrides = {"output.file=" + folder.file("a/b/results.h5")};
  const RunOutcome outcome =
      run_case(resolve_case(load_case(folder.file("case.toml"), overrides), registry), registry,
               RunSettings());
  EXPECT_EQ(outcome.exit_code, ExitCode::converged);
  EXPECT_TRUE(std::filesystem::exists(folder.file("a/b/results.h5")));
}

TEST_F(Runs, FieldsAreChosenByName) {
  run({"output.fields=[\"x\"]"});
  EXPECT_EQ(results().members("/solution"), std::vector<std::string>{"x"});
  EXPECT_THROW(run({"output.fields=[\"y\"]"}), InputError);
}

TEST(Sha256, KnownAnswers) {  // FIPS 180-4 examples
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("abc")) << "abc";
  std::ofstream(folder.file("empty")) << "";
  std::ofstream(folder.file("long")) << "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  EXPECT_EQ(sha256_of_file(folder.file("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of_file(folder.file("empty")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of_file(folder.file("long")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of_file(folder.file("none")), "");
}

TEST(Symmetry, RandomProductsTellTheTruth) {
  EXPECT_LT(symmetry_defect(test::TwiceOperator(1000, false), 1, 3), 1e-14);
  EXPECT_GT(symmetry_defect(test::TwiceOperator(1000, true), 1, 3), 1e-4);
}

}  // namespace
}  // namespace libsolve
