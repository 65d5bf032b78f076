#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <libsolve/io/case_file.hpp>
#include <libsolve/io/weights_file.hpp>
#include <libsolve/run/train.hpp>
#include <tests/cli/test_components.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

struct Trainings : ::testing::Test {
  Trainings() {
    Registrar registrar(registry, "", "0");
    test::register_test_components(registrar);
    std::ofstream(folder.file("case.toml")) << "[train]\nname = \"test-descent\"\n";
  }
  RunOutcome train(std::vector<std::string> overrides = {}, RunSettings settings = {}) {
    overrides.push_back("output.file=" + file());
    return train_case(
        resolve_training_case(load_case(folder.file("case.toml"), overrides), registry), registry,
        settings);
  }
  std::string file() { return folder.file("weights.h5"); }
  double weight() { return read_weights(file()).array("layer/weight", {1, 1}).values[0]; }
  /// What resolving says is wrong.
  std::string refusal(const std::string& text) {
    std::ofstream(folder.file("bad.toml")) << text;
    try {
      resolve_training_case(load_case(folder.file("bad.toml"), {}), registry);
    } catch (const InputError& e) {
      return e.what();
    }
    return {};
  }
  test::TemporaryFolder folder;
  Registry registry;
};

TEST_F(Trainings, WeightsFileHoldsTheTraining) {
  const RunOutcome outcome = train({"run.seed=3"}, {.command = "libsolve train case.toml"});
  EXPECT_EQ(outcome.exit_code, ExitCode::converged) << outcome.report.reason;
  EXPECT_EQ(outcome.results_path, file());
  EXPECT_LT(outcome.report.value("error"), 0.05);

  const Weights w = read_weights(file());
  EXPECT_EQ(w.network, "test-descent");
  EXPECT_EQ(w.options.find("width")->as_integer(), 1);
  EXPECT_NEAR(w.array("layer/weight", {1, 1}).values[0], 2.0, 0.05);
  EXPECT_EQ(w.trained_on.kind, "twice");
  EXPECT_EQ(w.trained_on.dimension, 3);
  EXPECT_EQ(w.file, file());

  const Hdf5File f = Hdf5File::open(file());
  EXPECT_EQ(w.trained_on.cells, (std::vector<int>{4, 3, 2}));
  EXPECT_EQ(f.numbers("/history/loss").size(), 50u);
  EXPECT_EQ(f.numbers("/history/iteration").front(), 1.0);
  EXPECT_EQ(f.number_attribute("/environment", "seed"), 3.0);
  EXPECT_EQ(f.number_attribute("/report", "iterations"), 50.0);
  EXPECT_GT(f.numbers("/report/seconds/train")[0], 0.0);
  const Value resolved = parse_toml(f.text("/case/resolved"), "resolved");
  EXPECT_EQ(resolved.find("train")->find("problem")->find("name")->as_string(), "test-grid");
  EXPECT_EQ(resolved.find("train")->find("rate")->as_number(), 0.1);
  EXPECT_FALSE(std::filesystem::exists(file() + ".partial"));
}

/// A training that is cut and resumed ends at the same digits, with the same curve.
TEST_F(Trainings, ResumingGivesTheSameDigits) {
  train();
  const double whole = weight();
  const std::vector<double> curve = Hdf5File::open(file()).numbers("/history/loss");
  std::filesystem::remove(file());
  const RunOutcome cut = train({"run.time_limit=0.05", "train.delay_s=0.005"});
  EXPECT_EQ(cut.report.status, Status::time_limit);
  EXPECT_EQ(cut.exit_code, ExitCode::not_converged);
  ASSERT_LT(cut.report.iterations, 50);
  const RunOutcome rest = train({}, {.resume = true});
  EXPECT_EQ(rest.exit_code, ExitCode::converged);
  EXPECT_NE(rest.report.notes[0].find("resumed: step"), std::string::npos);
  EXPECT_NE(rest.report.notes[0].find("other [train] options"), std::string::npos);
  EXPECT_EQ(weight(), whole);
  EXPECT_EQ(Hdf5File::open(file()).numbers("/history/loss"), curve);
  EXPECT_GT(rest.report.value("train_with_earlier_parts"), rest.report.value("train"));
}

TEST_F(Trainings, StopsForSignalsWithTheStateWritten) {
  std::atomic<int> flag = 15;
  const RunOutcome outcome = train({"output.state=false"}, {.stop_flag = &flag});
  EXPECT_EQ(outcome.exit_code, ExitCode::interrupted);
  EXPECT_NE(outcome.report.notes[0].find("SIGTERM"), std::string::npos);
  ASSERT_TRUE(read_training_state(file()).has_value());
  EXPECT_EQ(read_training_state(file())->step, 1);
  EXPECT_EQ(train({"output.state=false"}, {.resume = true}).exit_code, ExitCode::converged);
  EXPECT_FALSE(read_training_state(file()).has_value()) << "complete, and asked to leave it out";
  EXPECT_THROW(train({}, {.resume = true}), InputError);
}

TEST_F(Trainings, SnapshotsCanBeResumed) {
  struct Copy final : Progress {
    explicit Copy(std::string f) : file(std::move(f)) {}
    void iteration(std::int64_t i, double, std::span<const Sample>) override {
      std::error_code ignored;
      if (i == 40) std::filesystem::copy(file + ".partial", file + ".kept", ignored);
    }
    std::string file;
  } copy(file());
  train({"output.snapshot_interval=10ms", "train.delay_s=0.002"}, {.progress = &copy});
  const double whole = weight();
  ASSERT_TRUE(std::filesystem::exists(file() + ".kept"));
  std::filesystem::rename(file() + ".kept", file());
  EXPECT_EQ(Hdf5File::open(file()).text_attribute("/report", "status"), "running");
  train({}, {.resume = true});
  EXPECT_EQ(weight(), whole);
}

TEST_F(Trainings, OtherOutcomes) {
  EXPECT_EQ(train({"train.rate=1e300"}).exit_code, ExitCode::breakdown);
  EXPECT_THROW(read_weights(file()).array("layer/weight", {1, 1}), InputError) << "not finite";
  std::ofstream(folder.file("plain")) << "x";
  std::vector<std::string> bad = {"output.file=" + folder.file("plain/weights.h5")};
  const TrainingCase c = resolve_training_case(load_case(folder.file("case.toml"), bad), registry);
  EXPECT_EQ(train_case(c, registry, {}).exit_code, ExitCode::unwritable);
}

TEST_F(Trainings, CasesAreChecked) {
  EXPECT_NE(refusal("[train]\nname = \"test-descend\"\n").find("did you mean 'test-descent'"),
            std::string::npos);
  EXPECT_NE(refusal("[train]\nname = \"test-descent\"\nstep = 3\n").find("'steps'"),
            std::string::npos);
  EXPECT_NE(refusal("[train]\nname = \"test-descent\"\n[output]\nstat = true\n").find("'state'"),
            std::string::npos);
  EXPECT_NE(refusal("[train]\nname = \"test-descent\"\n[trian]\n").find("[train]"),
            std::string::npos);
  EXPECT_NE(refusal("[problem]\nsource = \"x\"\n[method]\nname = \"y\"\n").find("libsolve run"),
            std::string::npos);
  EXPECT_NE(refusal("[run]\nseed = 1\n").find("train"), std::string::npos);
  try {
    resolve_case(load_case(folder.file("case.toml"), {}), registry);
    ADD_FAILURE() << "a training case is no case to run";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("libsolve train"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace libsolve
