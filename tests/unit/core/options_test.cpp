#include <gtest/gtest.h>

#include <libsolve/core/options.hpp>
#include <limits>

namespace {

using namespace libsolve;

/// One field of every type.
struct Everything {
  bool flag = false;
  int count = 3;
  std::int64_t large = 4;
  std::uint64_t seed = 5;
  double factor = 0.5;
  std::string title = "none";
  std::vector<int> size = {8, 8};
  std::vector<double> weights = {};
  std::vector<std::string> words = {"a"};
  std::optional<double> radius = std::nullopt;
  std::string cycle = "V";
  ComponentSpec inner = "jacobi";
  std::string matrix = "";
  StoppingCriteria stopping = {.relative_tolerance = 1e-6};

  static void describe(Fields<Everything>& f) {
    using E = Everything;
    f.add("flag", &E::flag, "a switch");
    f.add("count", &E::count, Range::at_least(1), "how many");
    f.add("large", &E::large, Range::any(), "a large number");
    f.add("seed", &E::seed, Range::any(), "a seed");
    f.add("factor", &E::factor, Range::open(0.0, 2.0), "a factor").unit("m");
    f.add("title", &E::title, "a title");
    f.add("size", &E::size, Range::at_least(1), "cells on each axis");
    f.add("weights", &E::weights, Range::above(0.0), "weights");
    f.add("words", &E::words, "words");
    f.add("radius", &E::radius, Range::above(0.0), "a radius");
    f.add("cycle", &E::cycle, Choices{{"V", "W", "full"}}, "the cycle");
    f.add_component("inner", &E::inner, "preconditioner", "an inner method");
    f.add("matrix", &E::matrix, "a matrix").required().file();
    f.add_group(&E::stopping);
  }
  static void check(const Everything& e, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems) {
    if (e.flag && e.count > 10)
      problems.add(where, prefix + "count", "must be at most 10 where 'flag' is true");
  }
};

struct Result {
  Everything options;
  std::vector<std::string> problems;
};

Result parse(const Value& table) {
  Diagnostics problems;
  Result result;
  result.options = parse_options<Everything>(table, "method.", "method 'all'", problems);
  for (const Diagnostic& d : problems.problems()) result.problems.push_back(to_string(d));
  return result;
}

/// A table with the required entry and one more.
Value with(const std::string& key, const Value& value) {
  Value table;
  table.set("matrix", "a.mtx");
  table.set(key, value);
  return table;
}

/// What parsing says of one entry: "" or the message without its key.
std::string complaint(const std::string& key, const Value& value) {
  const auto problems = parse(with(key, value)).problems;
  EXPECT_LE(problems.size(), 1U);
  if (problems.empty()) return {};
  const std::string head = "method." + key + ": ";
  EXPECT_EQ(problems[0].substr(0, head.size()), head);
  return problems[0].substr(head.size());
}

TEST(Options, DefaultsAreTheMemberInitialisers) {
  const Result r = parse(with("flag", false));
  EXPECT_TRUE(r.problems.empty());
  EXPECT_EQ(r.options.count, 3);
  EXPECT_EQ(r.options.stopping.relative_tolerance, 1e-6);
  EXPECT_EQ(r.options.stopping.max_iterations, 1000);
  EXPECT_EQ(r.options.inner.name, "jacobi");
  EXPECT_FALSE(r.options.radius.has_value());
}

TEST(Options, EveryTypeIsRead) {
  Value table;
  table.set("flag", true);
  table.set("count", 7);
  table.set("large", std::int64_t{1} << 40);
  table.set("seed", 9);
  table.set("factor", 1);  // an integer is a number too
  table.set("title", "t");
  table.set("size", Value::Array{1, 2, 3});
  table.set("weights", Value::Array{0.5, 2});
  table.set("words", Value::Array{"x", "y"});
  table.set("radius", 1.5);
  table.set("cycle", "full");
  table.set("inner", "ssor");
  table.set("matrix", "b.mtx");
  table.set("max_iterations", 10);
  const Result r = parse(table);
  EXPECT_TRUE(r.problems.empty());
  EXPECT_TRUE(r.options.flag);
  EXPECT_EQ(r.options.count, 7);
  EXPECT_EQ(r.options.large, std::int64_t{1} << 40);
  EXPECT_EQ(r.options.seed, 9U);
  EXPECT_EQ(r.options.factor, 1.0);
  EXPECT_EQ(r.options.title, "t");
  EXPECT_EQ(r.options.size, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(r.options.weights, (std::vector<double>{0.5, 2.0}));
  EXPECT_EQ(r.options.words, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(r.options.radius, 1.5);
  EXPECT_EQ(r.options.cycle, "full");
  EXPECT_EQ(r.options.inner.name, "ssor");
  EXPECT_EQ(r.options.stopping.max_iterations, 10);
}

TEST(Options, UnknownKeyGivesTheNearest) {
  EXPECT_EQ(complaint("facter", 1.0),
            "unknown option for method 'all'; closest known option: 'factor'");
  EXPECT_EQ(complaint("max_iteration", 1),
            "unknown option for method 'all'; closest known option: 'max_iterations'");
  const std::string far = complaint("something_else_entirely", 1.0);
  EXPECT_EQ(far.find("unknown option for method 'all'; known options: flag, count"), 0U) << far;
}

TEST(Options, WrongTypesSayWhatIsWanted) {
  EXPECT_EQ(complaint("flag", 1), "must be true or false, is an integer (1)");
  EXPECT_EQ(complaint("count", 1.5), "must be an integer, is a float (1.5)");
  EXPECT_EQ(complaint("count", "3"), "must be an integer, is a string (\"3\")");
  EXPECT_EQ(complaint("factor", "x"), "must be a number, is a string (\"x\")");
  EXPECT_EQ(complaint("factor", std::numeric_limits<double>::quiet_NaN()),
            "must be a number, is a float (nan)");
  EXPECT_EQ(complaint("title", true), "must be a string, is a boolean (true)");
  EXPECT_EQ(complaint("size", 8), "must be an array of integers, is an integer (8)");
  EXPECT_EQ(complaint("size", Value::Array{8, 8.5}),
            "must be an array of integers, is an array ([8, 8.5])");
  EXPECT_EQ(complaint("words", Value::Array{1}), "must be an array of strings, is an array ([1])");
  EXPECT_EQ(complaint("inner", 1), "must be a name or a table with 'name', is an integer (1)");
  EXPECT_EQ(complaint("inner", Value()), "must have a string 'name' beside its options");
}

TEST(Options, NumbersOutOfRange) {
  EXPECT_EQ(complaint("count", 0), "must be >= 1, is 0");
  EXPECT_EQ(complaint("count", std::int64_t{1} << 33),
            "must be an integer of at most 32 bits, is an integer (8589934592)");
  EXPECT_EQ(complaint("seed", -1), "must be a non-negative integer, is an integer (-1)");
  EXPECT_EQ(complaint("factor", 0.0), "must be in (0, 2), is 0.0");
  EXPECT_EQ(complaint("factor", 2.0), "must be in (0, 2), is 2.0");
  EXPECT_EQ(complaint("factor", 1e-300), "");
  EXPECT_EQ(complaint("size", Value::Array{8, 0}), "must be >= 1, is [8, 0]");
  EXPECT_EQ(complaint("weights", Value::Array{1.0, -1.0}), "must be > 0, is [1.0, -1.0]");
  EXPECT_EQ(complaint("relative_tolerance", 2.0), "must be in [0, 1], is 2.0");
  EXPECT_EQ(complaint("max_iterations", -1), "must be >= 0, is -1");
}

TEST(Options, AWrongValueLeavesTheDefault) {
  EXPECT_EQ(parse(with("count", 0)).options.count, 3);
}

TEST(Options, ChoicesGiveTheNearest) {
  EXPECT_EQ(complaint("cycle", "W"), "");
  EXPECT_EQ(complaint("cycle", "ful"),
            "must be one of V, W, full, is \"ful\"; did you mean \"full\"?");
  EXPECT_EQ(complaint("cycle", 1), "must be a string, is an integer (1): one of V, W, full");
}

TEST(Options, AutoLeavesTheChoiceToTheMethod) {
  EXPECT_EQ(complaint("radius", "auto"), "");
  EXPECT_EQ(complaint("radius", "automatic"),
            "must be a number, is a string (\"automatic\"), or \"auto\"");
  EXPECT_EQ(complaint("radius", -1.0), "must be > 0, is -1.0");
  EXPECT_FALSE(parse(with("radius", "auto")).options.radius.has_value());
}

TEST(Options, ComponentsAreNamesOrTables) {
  Value inner;
  inner.set("name", "multigrid");
  inner.set("cycle", "V");
  inner.where = {"case.toml", 4, 1};
  const Result r = parse(with("inner", inner));
  EXPECT_TRUE(r.problems.empty());
  EXPECT_EQ(r.options.inner.name, "multigrid");
  EXPECT_EQ(r.options.inner.options.find("cycle")->as_string(), "V");
  EXPECT_EQ(r.options.inner.options.find("name"), nullptr);
  EXPECT_EQ(r.options.inner.options.where.line, 4);
  EXPECT_EQ(detail::to_value(r.options.inner).to_text(), "{ name = \"multigrid\", cycle = \"V\" }");
}

TEST(Options, WhatIsRequiredMustBeThere) {
  Value table;
  table.where = {"case.toml", 3, 1};
  EXPECT_EQ(parse(table).problems,
            std::vector<std::string>{
                "case.toml:3: method.matrix: is required by method 'all': a matrix"});
}

TEST(Options, ContradictionsAreRefusedTogetherWithTheRest) {
  Value table = with("flag", true);
  table.set("count", 11);
  table.set("facter", 1.0);
  const auto problems = parse(table).problems;
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[1], "method.count: must be at most 10 where 'flag' is true");
}

TEST(Options, ContradictionsAreAtTheLineOfTheirKey) {
  Value table;
  table.where = {"case.toml", 3, 1};
  table.set("flag", true);
  Value count = 11;
  count.where = {"case.toml", 7, 9};
  table.set("count", count);
  table.set("matrix", "a.mtx");
  EXPECT_EQ(parse(table).problems,
            std::vector<std::string>{
                "case.toml:7: method.count: must be at most 10 where 'flag' is true"});
  // Keys of tables within, as far as they are there; others at the table.
  Value inner;
  inner.where = {"case.toml", 9, 1};
  inner.set("omega", count);
  table.set("inner", inner);
  Diagnostics found, located;
  for (const char* key : {"method.inner.omega", "method.inner.sweeps", "method.factor"})
    found.add(table.where, key, "is wrong");
  detail::add_at_keys(found, table, "method.", located);
  ASSERT_EQ(located.problems().size(), 3U);
  EXPECT_EQ(located.problems()[0].where.line, 7);
  EXPECT_EQ(located.problems()[1].where.line, 9);
  EXPECT_EQ(located.problems()[2].where.line, 3);
}

TEST(Options, AllProblemsOfATableAreReported) {
  Value table;
  for (const auto& [key, value] : std::vector<std::pair<std::string, Value>>{
           {"flag", 1}, {"count", 0}, {"facter", 1.0}, {"cycle", "X"}, {"size", "big"}})
    table.set(key, value);
  EXPECT_EQ(parse(table).problems.size(), 6U);  // those, and the missing matrix
}

TEST(Options, ResolvedValuesParseToTheSame) {
  Value table = with("radius", 0.25);
  table.set("inner", "ssor");
  table.set("size", Value::Array{4, 5});
  const Everything first = parse(table).options;
  const Value resolved = options_to_value(first);
  const Result second = parse(resolved);
  EXPECT_TRUE(second.problems.empty());
  EXPECT_EQ(options_to_value(second.options).to_text(), resolved.to_text());
  EXPECT_EQ(resolved.as_table().size(), describe_options<Everything>().size());
}

TEST(Options, DescriptionHasEverything) {
  const auto infos = describe_options<Everything>();
  const auto info = [&](const std::string& name) {
    for (const OptionInfo& i : infos)
      if (i.name == name) return i;
    ADD_FAILURE() << name;
    return OptionInfo{};
  };
  EXPECT_EQ(infos.size(), 16U);
  EXPECT_EQ(info("factor").type, "float");
  EXPECT_EQ(info("factor").range, "in (0, 2)");
  EXPECT_EQ(info("factor").unit, "m");
  EXPECT_EQ(info("factor").default_value, "0.5");
  EXPECT_EQ(info("size").type, "integers");
  EXPECT_EQ(info("size").default_value, "[8, 8]");
  EXPECT_EQ(info("radius").type, "float or \"auto\"");
  EXPECT_EQ(info("radius").default_value, "\"auto\"");
  EXPECT_EQ(info("cycle").choices, (std::vector<std::string>{"V", "W", "full"}));
  EXPECT_EQ(info("inner").type, "component");
  EXPECT_EQ(info("inner").component_kind, "preconditioner");
  EXPECT_EQ(info("inner").default_value, "\"jacobi\"");
  EXPECT_TRUE(info("matrix").required);
  EXPECT_EQ(info("matrix").type, "file");
  EXPECT_EQ(info("matrix").default_value, "");
  EXPECT_EQ(info("relative_tolerance").default_value,
            "1e-06");  // of the struct that holds the group
  for (const OptionInfo& i : infos) EXPECT_FALSE(i.help.empty()) << i.name;
}

TEST(Range, TextAndMembership) {
  EXPECT_EQ(Range::any().to_text(), "");
  EXPECT_EQ(Range::at_least(1).to_text(), ">= 1");
  EXPECT_EQ(Range::above(0).to_text(), "> 0");
  EXPECT_EQ(Range::closed(0, 1).to_text(), "in [0, 1]");
  EXPECT_EQ(Range::open(0, 1).to_text(), "in (0, 1)");
  EXPECT_EQ((Range{.high = 3}).to_text(), "<= 3");
  EXPECT_TRUE(Range::closed(0, 1).contains(1.0));
  EXPECT_FALSE(Range::open(0, 1).contains(1.0));
  EXPECT_FALSE(Range::closed(0, 1).contains(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
