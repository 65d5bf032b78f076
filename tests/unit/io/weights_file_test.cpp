#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <libsolve/io/weights_file.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

Weights some_weights() {
  Weights w;
  w.network = "dcdm";
  w.options.set("channels", 2);
  w.arrays = {{"a", {2, 3}, {1, 2, 3, 4, 5, 0.1f}}, {"down0/bias", {1}, {-0.25}}};
  w.trained_on = {"poisson", 3, {16, 16, 16}, "3D Poisson"};
  return w;
}

struct WeightsFiles : ::testing::Test {
  std::string write(const std::string& name, const TrainingState* state = nullptr) {
    const std::string path = folder.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    Hdf5File f = Hdf5File::create(path);
    write_weights(f, some_weights(), state);
    f.close();
    return path;
  }
  test::TemporaryFolder folder;
};

std::string refusal(const std::function<void()>& what) {
  try {
    what();
  } catch (const InputError& e) {
    return e.what();
  }
  return {};
}

TEST_F(WeightsFiles, ComeBackAsTheyWere) {
  const TrainingState state{.step = 7, .arrays = {{"pool/r", {2, 2}, {1, 2, 3, 4}}}};
  const std::string path = write("w.h5", &state);
  const Weights w = read_weights(path);
  EXPECT_EQ(w.network, "dcdm");
  EXPECT_EQ(w.options.find("channels")->as_integer(), 2);
  EXPECT_EQ(w.array("a", {2, 3}).values, some_weights().arrays[0].values);
  EXPECT_EQ(w.array("down0/bias", {1}).values[0], -0.25);
  const auto back = read_training_state(path);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->step, 7);
  EXPECT_EQ(back->arrays[0].name, "pool/r");
  EXPECT_EQ(back->arrays[0].shape, (std::vector<GlobalIndex>{2, 2}));
  EXPECT_FALSE(read_training_state(write("without.h5")).has_value());
}

/// A refusal names the file, the field, both values and what to do.
TEST_F(WeightsFiles, ThoseThatDoNotFitAreRefused) {
  const std::string path = write("w.h5");
  const Weights w = read_weights(path);
  require_network(w, "dcdm");
  require_operator(w, "poisson", 3);
  const auto says = [&](const std::string& text, std::initializer_list<const char*> words) {
    for (const char* word : words) EXPECT_NE(text.find(word), std::string::npos) << text;
  };
  says(refusal([&] { require_network(w, "learned-multigrid"); }),
       {"w.h5", "weights.network", "'dcdm'", "'learned-multigrid'"});
  says(refusal([&] { require_operator(w, "poisson", 2); }),
       {"w.h5", "operator.dimension", "3D", "2D", "libsolve train"});
  says(refusal([&] { require_operator(w, "diffusion", 3); }),
       {"operator.kind", "'poisson'", "'diffusion'"});
  says(refusal([&] { (void)w.array("a", {3, 2}); }), {"weights/a", "2 x 3", "3 x 2"});
  says(refusal([&] { (void)w.array("c", {1}); }), {"weights/c", "not in the file"});
}

TEST_F(WeightsFiles, FilesThatAreNoneAreRefused) {
  EXPECT_NE(refusal([&] { (void)read_weights(folder.file("no.h5")); }).find("no such"),
            std::string::npos);
  std::ofstream(folder.file("text.h5")) << "text";
  EXPECT_NE(refusal([&] { (void)read_weights(folder.file("text.h5")); }).find("no HDF5 file"),
            std::string::npos);
  Hdf5File other = Hdf5File::create(folder.file("other.h5"));
  other.scalar("/x", 1.0);
  other.close();
  EXPECT_NE(refusal([&] { (void)read_weights(folder.file("other.h5")); }).find("no weights"),
            std::string::npos);
  Hdf5File newer = Hdf5File::create(folder.file("newer.h5"));
  newer.make_group("/weights");
  newer.attribute("/weights", "schema", 9);
  newer.close();
  EXPECT_NE(refusal([&] { (void)read_weights(folder.file("newer.h5")); }).find("schema 9"),
            std::string::npos);
  Hdf5File damaged = Hdf5File::create(folder.file("damaged.h5"));
  damaged.make_group("/weights");
  damaged.attribute("/weights", "schema", weights_schema);
  damaged.close();
  EXPECT_NE(refusal([&] { (void)read_weights(folder.file("damaged.h5")); }).find("damaged"),
            std::string::npos);
}

TEST_F(WeightsFiles, AreFoundByNameOrPath) {
  write("w.h5");
  write("names/mine.h5");
  EXPECT_EQ(find_weights("w.h5", folder.path()), folder.file("w.h5"));
  EXPECT_EQ(find_weights("names/mine.h5", folder.path()), folder.file("names/mine.h5"));
  EXPECT_EQ(find_weights(folder.file("w.h5"), "elsewhere"), folder.file("w.h5"));
  ::setenv("LIBSOLVE_WEIGHTS_PATH", (folder.file("none") + ":" + folder.file("names")).c_str(), 1);
  EXPECT_EQ(find_weights("mine", "."), folder.file("names/mine.h5"));
  const std::string text = refusal([&] { (void)find_weights("mina", "."); });
  ::unsetenv("LIBSOLVE_WEIGHTS_PATH");
  EXPECT_NE(text.find("'mine'"), std::string::npos) << text;
  EXPECT_NE(text.find("share/libsolve/learned"), std::string::npos) << text;
  EXPECT_NE(refusal([&] { (void)find_weights("no.h5", folder.path()); }).find("no such"),
            std::string::npos);
}

}  // namespace
}  // namespace libsolve
