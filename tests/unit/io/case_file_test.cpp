#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <libsolve/io/case_file.hpp>

namespace libsolve {
namespace {

Value with_overrides(const std::string& text, const std::vector<std::string>& overrides) {
  Value root = parse_toml(text, "case.toml");
  Diagnostics problems;
  for (const std::string& o : overrides) apply_override(root, o, problems);
  problems.throw_if_any();
  return root;
}

std::string override_problem(const std::string& assignment) {
  Value root = parse_toml("[method]\nname = \"cg\"\nsize = [1, 2]\n", "case.toml");
  Diagnostics problems;
  apply_override(root, assignment, problems);
  return problems.empty() ? "" : to_string(problems.problems().front());
}

TEST(CaseFile, KeepsTypesAndOrder) {
  const Value root = parse_toml(
      "title = 'a'\n[problem]\nz = 1\na = 2.0\nb = true\nsize = [3, 4]\n"
      "[method]\ninner = { name = \"x\", k = -1 }\n",
      "case.toml");
  const Value& problem = *root.find("problem");
  EXPECT_EQ(root.as_table()[0].first, "title");
  EXPECT_EQ(problem.as_table()[0].first, "z");
  EXPECT_TRUE(problem.find("z")->is_integer());
  EXPECT_TRUE(problem.find("a")->is_float());
  EXPECT_TRUE(problem.find("b")->as_bool());
  EXPECT_EQ(problem.find("size")->as_array()[1].as_integer(), 4);
  EXPECT_EQ(root.find("method")->find("inner")->find("name")->as_string(), "x");
}

TEST(CaseFile, EveryValueKnowsItsPlace) {
  const Value root =
      parse_toml("[problem]\nsource = \"poisson\"\n  size = [3,\n 4]\n", "dir/c.toml");
  const Value& size = *root.find("problem")->find("size");
  EXPECT_EQ(size.where.file, "dir/c.toml");
  EXPECT_EQ(size.where.line, 3);
  EXPECT_EQ(size.where.column, 10);
  EXPECT_EQ(size.as_array()[1].where.line, 4);
  EXPECT_EQ(root.find("problem")->where.line, 1);
}

TEST(CaseFile, SyntaxErrorsNameFileAndLine) {
  try {
    parse_toml("[problem]\nsource = \n", "case.toml");
    FAIL() << "not refused";
  } catch (const InputError& e) {
    ASSERT_EQ(e.problems().size(), 1u);
    EXPECT_EQ(e.problems()[0].where.file, "case.toml");
    EXPECT_EQ(e.problems()[0].where.line, 2);
    EXPECT_NE(std::string(e.what()).find("case.toml:2: "), std::string::npos) << e.what();
  }
}

TEST(CaseFile, RepeatedKeysAreRefused) {
  EXPECT_THROW(parse_toml("a = 1\na = 2\n", "case.toml"), InputError);
}

TEST(CaseFile, MissingFileIsNamed) {
  try {
    read_text_file("/nowhere/case.toml");
    FAIL() << "not refused";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("/nowhere/case.toml"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("No such file"), std::string::npos) << e.what();
  }
}

TEST(Override, ValuesAreTomlAndBareWordsAreStrings) {
  const Value root =
      with_overrides("", {"a.int=3", "a.float=1e-6", "a.bool=true", "a.word=multigrid",
                          "a.path=/scratch/x y.h5", "a.list=[1, 2]", "a.quoted=\"3\"",
                          "a.time=01:30:00", "a.span=55m", "a.table={ name = \"cg\", k = 2 }"});
  const Value& a = *root.find("a");
  EXPECT_EQ(a.find("int")->as_integer(), 3);
  EXPECT_EQ(a.find("float")->as_number(), 1e-6);
  EXPECT_TRUE(a.find("bool")->as_bool());
  EXPECT_EQ(a.find("word")->as_string(), "multigrid");
  EXPECT_EQ(a.find("path")->as_string(), "/scratch/x y.h5");
  EXPECT_EQ(a.find("list")->as_array().size(), 2u);
  EXPECT_EQ(a.find("quoted")->as_string(), "3");
  EXPECT_EQ(a.find("time")->as_string(), "01:30:00");
  EXPECT_EQ(a.find("span")->as_string(), "55m");
  EXPECT_EQ(a.find("table")->find("k")->as_integer(), 2);
  EXPECT_EQ(a.find("table")->find("k")->where.file, "--set");
}

TEST(Override, LastOneWinsAndOthersStay) {
  const Value root =
      with_overrides("[method]\nname = \"cg\"\nk = 1\nm = 7\n", {"method.k=2", "method.k=3"});
  EXPECT_EQ(root.find("method")->find("k")->as_integer(), 3);
  EXPECT_EQ(root.find("method")->find("k")->where.file, "--set");
  EXPECT_EQ(root.find("method")->find("m")->where.line, 4);
}

TEST(Override, ReachesIntoAComponentGivenByName) {
  const Value root = with_overrides("[method]\npreconditioner = \"multigrid\"\n",
                                    {"method.preconditioner.cycle=W"});
  const Value& p = *root.find("method")->find("preconditioner");
  EXPECT_EQ(p.find("name")->as_string(), "multigrid");
  EXPECT_EQ(p.find("cycle")->as_string(), "W");
}

TEST(Override, SaysWhatIsWrong) {
  EXPECT_NE(override_problem("method.k").find("is no assignment"), std::string::npos);
  EXPECT_NE(override_problem("=3").find("is no assignment"), std::string::npos);
  EXPECT_NE(override_problem("a..b=3").find("is no key"), std::string::npos);
  EXPECT_NE(override_problem("method.size.x=3").find("no table"), std::string::npos);
  EXPECT_NE(override_problem("method.k=[1, 2").find("no TOML value"), std::string::npos);
  EXPECT_EQ(override_problem("method.k=[1, 2").rfind("--set: method.k", 0), 0u);
}

TEST(CaseFile, TextOfATreeReadsBack) {
  const std::string text =
      "[problem]\nsource = \"poisson\"\nsize = [3, 4]\nscale = 1.0\n\n[method]\nname = \"cg\"\n"
      "inner = { name = \"a\", tolerance = 1e-08 }\n";
  EXPECT_EQ(to_toml(parse_toml(text, "a")), text);
}

TEST(Duration, FormsThatUsersWrite) {
  const auto seconds = [](const Value& v) {
    double s = -1.0;
    std::string problem;
    return parse_duration(v, s, problem) ? s : -1.0;
  };
  EXPECT_EQ(seconds(90), 90.0);
  EXPECT_EQ(seconds(1.5), 1.5);
  EXPECT_EQ(seconds("90"), 90.0);
  EXPECT_EQ(seconds("90s"), 90.0);
  EXPECT_EQ(seconds("55m"), 3300.0);
  EXPECT_EQ(seconds("1h30m"), 5400.0);
  EXPECT_EQ(seconds("1d"), 86400.0);
  EXPECT_EQ(seconds("1.5h"), 5400.0);
  EXPECT_EQ(seconds("250ms"), 0.25);
  EXPECT_EQ(seconds("01:30:00"), 5400.0);
  EXPECT_EQ(seconds("30:00"), 1800.0);
  for (const char* bad : {"", "m", "5x", "30m1h", "1h30", "1:2:3:4", "1:70", "-5s", "1..5s", "."})
    EXPECT_EQ(seconds(bad), -1.0) << bad;
  EXPECT_EQ(seconds(-1), -1.0);
  EXPECT_EQ(seconds(true), -1.0);
}

}  // namespace
}  // namespace libsolve
