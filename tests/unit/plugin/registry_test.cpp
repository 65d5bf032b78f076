#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/describe.hpp>
#include <libsolve/plugin/registry.hpp>
#include <nlohmann/json.hpp>

#include "fixtures/component.hpp"

namespace {

using libsolve::ComponentSpec;
using libsolve::Context;
using libsolve::Diagnostics;
using libsolve::Preconditioner;
using libsolve::Registry;
using libsolve::Value;

/// One with every sort of option, and two inner components.
class Outer final : public Preconditioner {
 public:
  struct Options {
    int sweeps = 2;
    std::optional<double> radius = std::nullopt;
    std::string order = "forward";
    std::string weights = "";
    double wait = 0.5;
    double needed = 0.0;
    ComponentSpec smoother = "nothing";
    ComponentSpec coarse = "none";
    static void describe(libsolve::Fields<Options>& f) {
      using O = Options;
      f.add("sweeps", &O::sweeps, libsolve::Range::at_least(1), "sweeps per application");
      f.add("radius", &O::radius, libsolve::Range::above(0.0), "spectral radius");
      f.add("order", &O::order, libsolve::Choices{{"forward", "backward"}}, "direction");
      f.add("weights", &O::weights, "file with weights").file();
      f.add("wait", &O::wait, libsolve::Range::closed(0.0, 1.0), "pause").unit("s");
      f.add("needed", &O::needed, "has no default").required();
      f.add_component("smoother", &O::smoother, "preconditioner", "inner method");
      f.add_component("coarse", &O::coarse, "preconditioner", "coarse method, if any");
    }
  };
  Outer(const Options& options, const Context& context)
      : smoother_(context.make<Preconditioner>(options.smoother)) {}
  void setup(const libsolve::LinearSystem&) override {}
  void apply(const libsolve::Vector&, const libsolve::Vector&) override {}
  bool is_symmetric() const override { return true; }

 private:
  std::unique_ptr<Preconditioner> smoother_;
};

/// Its default names itself.
class Snake final : public Preconditioner {
 public:
  struct Options {
    ComponentSpec tail = "snake";
    static void describe(libsolve::Fields<Options>& f) {
      f.add_component("tail", &Options::tail, "preconditioner", "itself");
    }
  };
  Snake(const Options&, const Context&) {}
  void setup(const libsolve::LinearSystem&) override {}
  void apply(const libsolve::Vector&, const libsolve::Vector&) override {}
  bool is_symmetric() const override { return true; }
};

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    libsolve::Registrar registrar(registry_, "/somewhere/family.so", "0.1.0");
    registrar.add<fixture::Nothing>({.name = "nothing", .summary = "does nothing"});
    registrar.add<Outer>({.name = "outer",
                          .summary = "holds others",
                          .paper = "Somebody, Holding others, Journal of Holding, 2026"});
    registrar.add<Snake>({.name = "snake", .summary = "bites its tail"});
  }

  /// A value written at `line` of case.toml.
  static Value at(int line, Value value) {
    value.where = {"case.toml", line, 1};
    return value;
  }
  static ComponentSpec spec_of(const Value& value) {
    ComponentSpec spec;
    std::string problem;
    EXPECT_TRUE(libsolve::detail::convert(value, spec, problem)) << problem;
    return spec;
  }
  std::vector<std::string> problems_of(const ComponentSpec& spec, const std::string& base = "") {
    Diagnostics problems;
    resolved_ = registry_.resolve("preconditioner", spec, "method.", problems, base);
    std::vector<std::string> lines;
    for (const auto& p : problems.problems()) lines.push_back(to_string(p));
    return lines;
  }

  Registry registry_;
  Value resolved_;
};

TEST_F(RegistryTest, FindsByKindAndName) {
  EXPECT_NE(registry_.find("preconditioner", "outer"), nullptr);
  EXPECT_EQ(registry_.find("linear-solver", "outer"), nullptr);
  EXPECT_EQ(registry_.names("preconditioner"),
            (std::vector<std::string>{"nothing", "outer", "snake"}));
  EXPECT_TRUE(registry_.names("linear-solver").empty());
  EXPECT_EQ(registry_.list().size(), 3U);
}

TEST_F(RegistryTest, ATakenNameIsAnErrorNamingBothFiles) {
  libsolve::Registrar other(registry_, "/elsewhere/other.so", "0.1.0");
  try {
    other.add<fixture::Nothing>({.name = "outer"});
    FAIL() << "no error";
  } catch (const libsolve::PluginError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("/somewhere/family.so"), std::string::npos) << text;
    EXPECT_NE(text.find("/elsewhere/other.so"), std::string::npos) << text;
    EXPECT_NE(text.find("preconditioner 'outer'"), std::string::npos) << text;
  }
}

TEST_F(RegistryTest, ResolvesDefaultsAndInnerComponents) {
  ComponentSpec spec("outer");
  spec.options.set("needed", 1.0);
  EXPECT_EQ(problems_of(spec), std::vector<std::string>{});
  EXPECT_EQ(
      resolved_.to_text(),
      "{ name = \"outer\", sweeps = 2, radius = \"auto\", order = \"forward\", weights = \"\", "
      "wait = 0.5, needed = 1.0, smoother = { name = \"nothing\", omega = 1.0 }, "
      "coarse = \"none\" }");
  // What is stored with the results runs again and resolves to itself.
  const std::string first = resolved_.to_text();
  EXPECT_EQ(problems_of(spec_of(resolved_)), std::vector<std::string>{});
  EXPECT_EQ(resolved_.to_text(), first);
}

TEST_F(RegistryTest, UnknownNameGivesTheNearestOneAndItsPlace) {
  Value table = at(1, Value());
  table.set("name", at(2, "outr"));
  const auto lines = problems_of(spec_of(table));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(
      lines[0],
      "case.toml:2: method: no preconditioner named 'outr'; did you mean 'outer'? (available: "
      "nothing, outer, snake)");
}

TEST_F(RegistryTest, UnknownInnerNameGivesThePlaceOfTheValue) {
  Value table = at(1, Value());
  table.set("name", at(2, "outer"));
  table.set("needed", at(3, 1.0));
  table.set("smoother", at(4, "nothin"));
  Value inner = at(5, Value());
  inner.set("name", at(5, "nothing"));
  inner.set("omeg", at(6, 1.0));
  inner.set("omega", at(7, 3.0));
  table.set("coarse", inner);
  EXPECT_EQ(
      problems_of(spec_of(table)),
      (std::vector<std::string>{
          "case.toml:4: method.smoother: no preconditioner named 'nothin'; did you mean "
          "'nothing'? (available: nothing, outer, snake)",
          "case.toml:6: method.coarse.omeg: unknown option for preconditioner 'nothing'; closest "
          "known option: 'omega'",
          "case.toml:7: method.coarse.omega: must be in (0, 2), is 3.0"}));
}

TEST_F(RegistryTest, EverythingWrongIsReportedTogether) {
  ComponentSpec spec("outer");
  spec.options.where = {"case.toml", 1, 1};
  spec.options.set("sweeps", at(2, 0));
  spec.options.set("radius", at(3, "big"));
  spec.options.set("order", at(4, "foward"));
  spec.options.set("wait", at(5, 2.0));
  spec.options.set("swep", at(6, 1));
  spec.options.set("smoother", at(7, 5));
  const auto lines = problems_of(spec);
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "case.toml:2: method.sweeps: must be >= 1, is 0");
  EXPECT_EQ(lines[1],
            "case.toml:3: method.radius: must be a number, is a string (\"big\"), or \"auto\"");
  EXPECT_EQ(
      lines[2],
      "case.toml:4: method.order: must be one of forward, backward, is \"foward\"; did you mean "
      "\"forward\"?");
  EXPECT_EQ(lines[3], "case.toml:5: method.wait: must be in [0, 1], is 2.0");
  EXPECT_EQ(
      lines[4],
      "case.toml:6: method.swep: unknown option for preconditioner 'outer'; closest known option: "
      "'sweeps'");
  EXPECT_EQ(
      lines[5],
      "case.toml:7: method.smoother: must be a name or a table with 'name', is an integer (5)");
  EXPECT_EQ(lines[6],
            "case.toml:1: method.needed: is required by preconditioner 'outer': has no default");
}

TEST_F(RegistryTest, NoneIsAllowedOnlyWhereItIsTheDefault) {
  ComponentSpec spec("outer");
  spec.options.set("needed", 1.0);
  spec.options.set("coarse", "none");
  EXPECT_EQ(problems_of(spec), std::vector<std::string>{});
  spec.options.set("smoother", "none");
  const auto lines = problems_of(spec);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("no preconditioner named 'none'"), std::string::npos) << lines[0];
}

TEST_F(RegistryTest, ADefaultThatNamesItselfEnds) {
  const auto lines = problems_of("snake");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("does the default of one name itself?"), std::string::npos) << lines[0];
}

TEST_F(RegistryTest, AWrongKindSaysWhichKindHasTheName) {
  Diagnostics problems;
  registry_.resolve("linear-solver", "outer", "method.", problems);
  ASSERT_EQ(problems.problems().size(), 1U);
  EXPECT_EQ(
      problems.problems()[0].message,
      "no linear-solver named 'outer', but a preconditioner of that name; no plugin provides any");
}

TEST_F(RegistryTest, FilesMustExistRelativeToTheCase) {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::path(::testing::TempDir()) / ("libsolve_reg_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  std::ofstream(folder / "weights.txt") << "1\n";
  ComponentSpec spec("outer");
  spec.options.set("needed", 1.0);
  spec.options.set("weights", at(3, "weights.txt"));
  EXPECT_EQ(problems_of(spec, folder.string()), std::vector<std::string>{});
  spec.options.set("weights", at(3, "weihgts.txt"));
  EXPECT_EQ(problems_of(spec, folder.string()),
            std::vector<std::string>{"case.toml:3: method.weights: there is no file '" +
                                     (folder / "weihgts.txt").string() +
                                     "'; did you mean 'weights.txt'?"});
  EXPECT_EQ(problems_of(spec), std::vector<std::string>{});  // no folder given: not checked
  spec.options.set("weights", at(3, folder.string()));
  EXPECT_NE(problems_of(spec, ".").at(0).find("is not a file"), std::string::npos);
  fs::remove_all(folder);
}

TEST_F(RegistryTest, MakesComponentsWithTheirInnerOnes) {
  const Context context{.registry = &registry_};
  ComponentSpec spec("outer");
  spec.options.set("needed", 1.0);
  EXPECT_NE(dynamic_cast<Outer*>(context.make<Preconditioner>(spec).get()), nullptr);
  spec.options.set("smoother", "nothin");
  EXPECT_THROW(context.make<Preconditioner>(spec), libsolve::InputError);
  EXPECT_THROW(context.make<Preconditioner>("outer"), libsolve::InputError);  // 'needed' is missing
  EXPECT_THROW(Context{}.make<Preconditioner>("nothing"), libsolve::PluginError);
}

TEST_F(RegistryTest, ContextResolvesFilesFromItsFolder) {
  Context context;
  context.base_folder = "/cases/a";
  EXPECT_EQ(context.resolve_file("b.mtx"), "/cases/a/b.mtx");
  EXPECT_EQ(context.resolve_file("/data/b.mtx"), "/data/b.mtx");
}

TEST_F(RegistryTest, ListShowsComponentsPluginsAndRefusals) {
  registry_.plugin_log().files.push_back(
      {.path = "/somewhere/family.so", .origin = "installed", .version = "0.1.0", .loaded = true});
  registry_.plugin_log().files.push_back(
      {.path = "/somewhere/bad.so", .origin = "installed", .reason = "it is empty"});
  registry_.plugin_log().places.push_back({"/somewhere", "installed", "2 plugin files"});
  const std::string text = list_text(registry_);
  for (const char* part : {"preconditioner (linear)", "outer", "holds others", "Journal of Holding",
                           "/somewhere/family.so (libsolve 0.1.0, 3 provided)",
                           "NOT LOADED /somewhere/bad.so: it is empty", "2 plugin files"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;

  const auto json = nlohmann::json::parse(list_json(registry_));
  ASSERT_EQ(json["components"].size(), 3U);
  EXPECT_EQ(json["components"][1]["name"], "outer");
  EXPECT_EQ(json["components"][1]["kind"], "preconditioner");
  EXPECT_EQ(json["components"][1]["plugin"], "/somewhere/family.so");
  EXPECT_EQ(json["components"][1]["version"], "0.1.0");
  EXPECT_EQ(json["plugins"][0]["components"], 3);
  EXPECT_EQ(json["plugins"][1]["loaded"], false);
  EXPECT_EQ(json["plugins"][1]["reason"], "it is empty");
  EXPECT_EQ(json["searched"][0]["path"], "/somewhere");
}

TEST_F(RegistryTest, DescribeShowsEveryOption) {
  const std::string text = describe_text(registry_, "outer");
  for (const char* part :
       {"outer: preconditioner (linear)", "paper: Somebody", "sweeps: integer, >= 1, default 2",
        "sweeps per application", "radius: float or \"auto\", > 0, default \"auto\"",
        "order: one of forward, backward, default \"forward\"", "weights: file, default \"\"",
        "wait: float, in [0, 1], unit s, default 0.5", "needed: float, required",
        "smoother: name or table of a preconditioner, default \"nothing\""})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;

  const auto json = nlohmann::json::parse(describe_json(registry_, "outer"));
  ASSERT_EQ(json.size(), 1U);
  const auto& options = json[0]["options"];
  ASSERT_EQ(options.size(), 8U);
  EXPECT_EQ(options[0]["default"], "2");
  EXPECT_EQ(options[0]["range"], ">= 1");
  EXPECT_EQ(options[2]["choices"], (std::vector<std::string>{"forward", "backward"}));
  EXPECT_EQ(options[4]["unit"], "s");
  EXPECT_TRUE(options[5]["default"].is_null());
  EXPECT_EQ(options[5]["required"], true);
  EXPECT_EQ(options[6]["component_kind"], "preconditioner");
}

TEST_F(RegistryTest, DescribeOfAnUnknownNameGivesTheNearest) {
  try {
    describe_text(registry_, "outter");
    FAIL() << "no error";
  } catch (const libsolve::InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'outer'?"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(describe_json(registry_, "outer", "linear-solver"), libsolve::InputError);
}

}  // namespace
