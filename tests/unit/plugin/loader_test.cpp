#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/abi_stamp.hpp>
#include <libsolve/plugin/detail/plugin_file.hpp>
#include <libsolve/plugin/loader.hpp>
#include <random>
#include <sstream>

#include "fixtures/component.hpp"

namespace {

namespace fs = std::filesystem;
using libsolve::PluginError;
using libsolve::PluginFile;
using libsolve::PluginSearch;
using libsolve::Registry;

const fs::path fixtures = fs::path(LIBSOLVE_BINARY_DIR) / "tests" / "fixtures";

std::string fixture(const std::string& name) {
  return (fixtures / (name + ".so")).string();
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// A folder of its own, removed at the end; also where fixtures leave their trace.
class Loader : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("libsolve_loader_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    ::setenv("LIBSOLVE_FIXTURE_TRACE", trace().c_str(), 1);
    ::unsetenv("LIBSOLVE_PLUGIN_PATH");
  }
  void TearDown() override {
    fs::remove_all(folder_);
    ::unsetenv("LIBSOLVE_FIXTURE_TRACE");
  }
  fs::path trace() const { return folder_ / "trace"; }

  /// Loads one named file and no other; returns "" or the message of the PluginError.
  static std::string load(Registry& registry, const std::string& file) {
    try {
      libsolve::load_plugins(registry, {.files = {file}, .path = "", .installed_folder = ""});
      return {};
    } catch (const PluginError& error) {
      return error.what();
    }
  }
  static std::string load(const std::string& file) {
    Registry registry;
    return load(registry, file);
  }
  /// The file of the log that ends in `name`.
  static PluginFile logged(const Registry& registry, const std::string& name) {
    for (const PluginFile& file : registry.plugin_log().files)
      if (fs::path(file.path).filename() == name) return file;
    return {};
  }

  fs::path folder_;
};

/// What a build leaves in place of a plugin it could not build.
TEST_F(Loader, TellsOfPluginsTheBuildLeftOut) {
  write(folder_ / "other.absent", "this build has no Other; install it\nother-solver\nother-pc\n");
  write(folder_ / "empty.absent", "");
  Registry registry;
  const auto& log = libsolve::load_plugins(
      registry, {.files = {}, .path = folder_.string(), .installed_folder = ""});
  ASSERT_EQ(log.absent.size(), 1u);
  EXPECT_EQ(log.absent[0].plugin, "other");
  EXPECT_EQ(log.absent[0].names, (std::vector<std::string>{"other-solver", "other-pc"}));
  EXPECT_EQ(log.why_absent("other-pc"),
            "'other-pc' comes with the plugin other: this build has no Other; install it");
  EXPECT_EQ(log.why_absent("another"), "");
  libsolve::Diagnostics problems;
  (void)registry.resolve("preconditioner", libsolve::ComponentSpec("other-pc"), "", problems);
  ASSERT_EQ(problems.problems().size(), 1u);
  EXPECT_NE(problems.problems()[0].message.find("this build has no Other"), std::string::npos);
}

void expect_parts(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in:\n" << message;
}

TEST_F(Loader, LoadsAPluginThatFits) {
  Registry registry;
  EXPECT_EQ(load(registry, fixture("good")), "");
  const libsolve::ComponentInfo* info = registry.find("preconditioner", "fixture");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->plugin_path, fs::canonical(fixture("good")).string());
  EXPECT_EQ(info->plugin_version, LIBSOLVE_VERSION);
  EXPECT_EQ(info->problem_class, "linear");
  const libsolve::Context context{.registry = &registry};
  EXPECT_NE(context.make<libsolve::Preconditioner>("fixture"), nullptr);
  EXPECT_TRUE(logged(registry, "good.so").loaded);
}

/// Each names the file, the field, both values and the command that cures it; and no code of the
/// file has run: the static object in it left no trace.
struct Mismatch {
  const char* name;
  const char* field;
  const char* plugin_value;
};
class LoaderMismatch : public Loader, public ::testing::WithParamInterface<Mismatch> {};

TEST_P(LoaderMismatch, IsAnErrorBeforeAnyCodeRuns) {
  const Mismatch& m = GetParam();
  const auto own = libsolve::detail::parse_abi_text(libsolve::detail::own_abi_text());
  std::string own_value = "?";
  for (const auto& [field, value] : own)
    if (field == m.field) own_value = value;
  Registry registry;
  const std::string message = load(registry, fixture(m.name));
  expect_parts(message, {fixture(m.name), std::string(m.field) + ":", "'" + own_value + "'",
                         "rebuild the plugin", "cmake --build"});
  if (*m.plugin_value != '\0') expect_parts(message, {std::string("'") + m.plugin_value + "'"});
  EXPECT_FALSE(fs::exists(trace())) << read(trace());
  EXPECT_TRUE(registry.list().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Fields, LoaderMismatch,
    ::testing::Values(Mismatch{"other_interface", "interface_number", "999"},
                      Mismatch{"other_libsolve", "libsolve_version", "0.0.1"},
                      Mismatch{"other_compiler", "compiler", "GNU 4.8"},
                      Mismatch{"other_library", "standard_library", "libstdc++ 5, old strings"},
                      Mismatch{"other_standard", "cxx_standard", "201703"},
                      Mismatch{"other_kokkos", "kokkos_version", "3.4.1"},
                      Mismatch{"other_namespace", "kokkos_namespace", "Kokkos_other"},
                      Mismatch{"other_backends", "backends", "Serial (default Serial)"},
                      Mismatch{"other_index", "index_bits", "64 local, 64 global"},
                      Mismatch{"other_mpi", "mpi", "MPICH 9"},
                      Mismatch{"other_build_type", "build_type", ""}),
    [](const auto& info) { return std::string(info.param.name); });

/// The control of the test above: where the stamp fits, the static object does leave its trace.
/// In a copy, since the file itself may have been opened by an earlier test of this process.
TEST_F(Loader, StaticObjectsRunOnceTheStampFits) {
  const fs::path copy = folder_ / "copy_of_good.so";
  fs::copy_file(fixture("good"), copy);
  EXPECT_EQ(load(copy.string()), "");
  EXPECT_TRUE(fs::exists(trace()));
}

TEST_F(Loader, MissingEntryIsFoundBeforeAnyCodeRuns) {
  expect_parts(load(fixture("no_entry")),
               {fixture("no_entry"), "libsolve_plugin_register", "LIBSOLVE_PLUGIN(registrar)"});
  EXPECT_FALSE(fs::exists(trace()));
}

TEST_F(Loader, MissingStamp) {
  expect_parts(load(fixture("no_stamp")),
               {fixture("no_stamp"), ".libsolve.abi", "LIBSOLVE_PLUGIN"});
  EXPECT_FALSE(fs::exists(trace()));
}

TEST_F(Loader, RegistrationThatThrowsRegistersNothing) {
  Registry registry;
  expect_parts(load(registry, fixture("throws")), {fixture("throws"), "the moon is full"});
  EXPECT_TRUE(registry.list().empty());
  expect_parts(load(fixture("throws_integer")), {fixture("throws_integer"), "registration failed"});
}

TEST_F(Loader, UndefinedSymbolIsNamed) {
  expect_parts(load(fixture("undefined")), {fixture("undefined"), "defined_nowhere", "rebuild"});
}

TEST_F(Loader, TheSameNameFromTwoFilesNamesBoth) {
  Registry registry;
  EXPECT_EQ(load(registry, fixture("good")), "");
  expect_parts(load(registry, fixture("duplicate")),
               {fixture("good"), fixture("duplicate"), "preconditioner 'fixture'"});
}

TEST_F(Loader, APluginWithOneTakenNameRegistersNothing) {
  Registry registry;
  EXPECT_EQ(load(registry, fixture("good")), "");
  expect_parts(load(registry, fixture("half")), {fixture("half"), "'fixture'"});
  EXPECT_EQ(registry.find("preconditioner", "another"), nullptr);
  EXPECT_EQ(registry.list().size(), 1U);
}

TEST_F(Loader, TheSameFileByTwoPathsLoadsOnce) {
  const fs::path link = folder_ / "link.so";
  fs::create_symlink(fixture("good"), link);
  Registry registry;
  EXPECT_EQ(load(registry, fixture("good")), "");
  EXPECT_EQ(load(registry, link.string()), "");
  EXPECT_EQ(registry.list().size(), 1U);
  EXPECT_EQ(registry.plugin_log().files.size(), 1U);
}

TEST_F(Loader, FilesThatAreNoPlugins) {
  const fs::path empty = folder_ / "empty.so";
  write(empty, "");
  expect_parts(load(empty.string()), {empty.string(), "empty (0 bytes)", "build it again"});

  const fs::path text = folder_ / "text.so";
  write(text, "GROUP ( libm.so.6 )\n");
  expect_parts(load(text.string()), {text.string(), "not a shared library", "libsolve_add_plugin"});

  const fs::path missing = folder_ / "missing.so";
  expect_parts(load(missing.string()), {missing.string(), "no such file"});

  expect_parts(load(folder_.string()), {folder_.string(), "folder", "LIBSOLVE_PLUGIN_PATH"});

  expect_parts(load("/dev/null"), {"/dev/null", "not a file"});

  std::string bytes = read(fixture("good"));
  bytes[4] = 1;  // EI_CLASS: 32 bits
  const fs::path narrow = folder_ / "narrow.so";
  write(narrow, bytes);
  expect_parts(load(narrow.string()), {narrow.string(), "64 bits"});

  bytes = read(fixture("good"));
  bytes[18] = static_cast<char>(bytes[18] ^ 0x7f);  // e_machine
  const fs::path foreign = folder_ / "foreign.so";
  write(foreign, bytes);
  expect_parts(load(foreign.string()),
               {foreign.string(), "another processor", "the plugin has", "libsolve has"});

  bytes = read(fixture("good"));
  bytes[16] = 1;  // e_type: ET_REL
  const fs::path object = folder_ / "object.so";
  write(object, bytes);
  expect_parts(load(object.string()), {object.string(), "object file"});
}

TEST_F(Loader, UnreadableStamp) {
  std::string bytes = read(fixture("good"));
  const size_t at = bytes.find("libsolve-abi=1");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = '\0';
  const fs::path file = folder_ / "unreadable.so";
  write(file, bytes);
  expect_parts(load(file.string()), {file.string(), "cannot be read", "rebuild"});
}

/// Cut anywhere, a file is an error with both sizes, never a crash.
TEST_F(Loader, TruncatedFile) {
  const std::string bytes = read(fixture("good"));
  ASSERT_GT(bytes.size(), 4096U);
  const fs::path file = folder_ / "truncated.so";
  for (size_t step = 1; step < 97; ++step) {
    const size_t length = bytes.size() * step / 97;
    write(file, bytes.substr(0, length));
    const std::string message = load(file.string());
    expect_parts(message, {file.string(), "cut short", std::to_string(length), "copy it again"});
  }
  for (const size_t length : {1U, 3U, 4U, 15U, 16U, 63U, 64U, 65U}) {
    write(file, bytes.substr(0, length));
    expect_parts(load(file.string()), {file.string()});
  }
  write(file, bytes.substr(0, bytes.size() - 1));
  expect_parts(load(file.string()), {"cut short"});
}

/// Whatever is in the headers, the reader ends with an answer or a PluginError.
TEST_F(Loader, ReaderSurvivesDamagedHeaders) {
  const std::string bytes = read(fixture("good"));
  std::uint64_t section_table = 0;
  for (int i = 7; i >= 0; --i)
    section_table = section_table << 8 | static_cast<unsigned char>(bytes[40 + i]);  // e_shoff
  std::mt19937_64 random(1);
  const fs::path file = folder_ / "damaged.so";
  int refused = 0;
  for (int trial = 0; trial < 600; ++trial) {
    std::string damaged = bytes;
    for (int change = 0; change < 1 + trial % 4; ++change) {
      const bool in_sections = random() % 2 == 0;
      const std::uint64_t at =
          in_sections ? section_table + random() % (bytes.size() - section_table) : random() % 1024;
      damaged[at] = static_cast<char>(random() % 4 == 0 ? 0xff : random());
    }
    write(file, damaged);
    try {
      libsolve::detail::read_plugin_file(file.string());
    } catch (const PluginError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 30);
}

TEST_F(Loader, ABrokenFileInAFolderDoesNotStopTheOthers) {
  fs::copy_file(fixture("other_kokkos"), folder_ / "a_other_kokkos.so");
  fs::copy_file(fixture("good"), folder_ / "b_good.so");
  fs::copy_file(fixture("throws"), folder_ / "c_throws.so");
  fs::copy_file(fixture("duplicate"), folder_ / "d_duplicate.so");
  write(folder_ / "e_empty.so", "");
  write(folder_ / "notes.txt", "not looked at");
  const fs::path nowhere = folder_ / "nowhere";
  Registry registry;
  const libsolve::PluginLog& log = libsolve::load_plugins(
      registry, {.path = nowhere.string() + ":" + folder_.string(), .installed_folder = ""});
  EXPECT_EQ(log.files.size(), 5U);
  EXPECT_TRUE(logged(registry, "b_good.so").loaded);
  EXPECT_NE(logged(registry, "a_other_kokkos.so").reason.find("3.4.1"), std::string::npos);
  EXPECT_EQ(logged(registry, "a_other_kokkos.so").version, LIBSOLVE_VERSION);
  EXPECT_NE(logged(registry, "c_throws.so").reason.find("full"), std::string::npos);
  EXPECT_NE(logged(registry, "d_duplicate.so").reason.find("b_good.so"), std::string::npos);
  EXPECT_NE(logged(registry, "e_empty.so").reason.find("empty"), std::string::npos);
  ASSERT_EQ(log.places.size(), 2U);
  EXPECT_EQ(log.places[0].note, "no such folder");
  EXPECT_EQ(log.places[1].note, "5 plugin files");
  EXPECT_NE(registry.find("preconditioner", "fixture"), nullptr);

  // Asking for what only a refused plugin may provide tells why, and where was searched.
  libsolve::Diagnostics problems;
  registry.resolve("preconditioner", "something", "method.preconditioner.", problems);
  ASSERT_EQ(problems.problems().size(), 1U);
  expect_parts(problems.problems()[0].message,
               {"no preconditioner named 'something'", "available: fixture", "3.4.1",
                "the moon is full", nowhere.string(), "no such folder"});
}

TEST_F(Loader, SearchOrderIsFilesThenPathThenInstalled) {
  const fs::path first = folder_ / "first";
  const fs::path second = folder_ / "second";
  fs::create_directories(first);
  fs::create_directories(second);
  fs::copy_file(fixture("good"), first / "in_path.so");
  fs::copy_file(fixture("good"), second / "installed.so");
  ::setenv("LIBSOLVE_PLUGIN_PATH", first.c_str(), 1);
  {
    Registry registry;
    libsolve::load_plugins(registry,
                           {.files = {fixture("good")}, .installed_folder = second.string()});
    EXPECT_TRUE(logged(registry, "good.so").loaded);
    EXPECT_FALSE(logged(registry, "in_path.so").loaded);
    EXPECT_EQ(logged(registry, "in_path.so").origin, "LIBSOLVE_PLUGIN_PATH");
    EXPECT_EQ(logged(registry, "installed.so").origin, "installed");
  }
  Registry registry;
  libsolve::load_plugins(registry, {.installed_folder = second.string()});
  EXPECT_TRUE(logged(registry, "in_path.so").loaded);
  EXPECT_FALSE(logged(registry, "installed.so").loaded);
}

TEST_F(Loader, APathEntryMayBeAFile) {
  Registry registry;
  libsolve::load_plugins(registry, {.path = ":" + fixture("good") + ":", .installed_folder = ""});
  EXPECT_TRUE(logged(registry, "good.so").loaded);
}

TEST_F(Loader, InstalledFolderLiesBesideTheLibrary) {
  EXPECT_EQ(libsolve::installed_plugin_folder(),
            (fs::canonical(LIBSOLVE_BINARY_DIR) / "lib/libsolve/plugins").string());
}

TEST_F(Loader, ComponentsOfTheProgramItselfAreNotReplaced) {
  Registry registry;
  libsolve::Registrar registrar(registry, "", "");
  registrar.add<fixture::Nothing>({.name = "fixture", .summary = "the program's own"});
  expect_parts(load(registry, fixture("good")), {fixture("good"), "the program itself"});
}

}  // namespace
