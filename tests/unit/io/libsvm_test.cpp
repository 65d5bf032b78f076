#include <gtest/gtest.h>

#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/libsvm.hpp>
#include <tests/support/temporary_folder.hpp>

namespace {

using namespace libsolve;

std::string file_with(const test::TemporaryFolder& folder, const std::string& text) {
  const std::string path = folder.file("samples");
  std::ofstream(path) << text;
  return path;
}

TEST(Libsvm, ReadsLabelsAndSparseRows) {
  const test::TemporaryFolder folder;
  const auto s = read_libsvm(file_with(folder,
                                       "# a comment\n"
                                       "+1 1:0.5 4:-2e-3 \r\n"
                                       "\n"
                                       "-1 # no entries\n"
                                       "2.5\t2:0 3:+7"));
  EXPECT_EQ(s.num_rows(), 3);
  EXPECT_EQ(s.num_columns, 4);
  EXPECT_EQ(s.labels, (std::vector<double>{1.0, -1.0, 2.5}));
  EXPECT_EQ(s.row_pointers, (std::vector<GlobalIndex>{0, 2, 2, 4}));
  EXPECT_EQ(s.columns, (std::vector<Index>{0, 3, 1, 2}));
  EXPECT_EQ(s.values, (std::vector<double>{0.5, -2e-3, 0.0, 7.0}));
  EXPECT_EQ(read_libsvm(folder.file("samples"), 9).num_columns, 9);
}

/// Some files of the collection count from 0; a column 0 anywhere says so.
TEST(Libsvm, CountsFromZeroWhereTheFileDoes) {
  const test::TemporaryFolder folder;
  const auto s = read_libsvm(file_with(folder, "1 2:5\n-1 0:3 1:4\n"));
  EXPECT_EQ(s.num_columns, 3);
  EXPECT_EQ(s.columns, (std::vector<Index>{2, 0, 1}));
}

TEST(Libsvm, NamesFileLineAndWhatIsWrong) {
  const test::TemporaryFolder folder;
  const std::pair<const char*, const char*> wrong[] = {
      {"1 1:2\nyes 1:2\n", ":2: expected a label"},
      {"1 1:2 2\n", ":1: expected column:value, found \"2\""},
      {"1 1:2\n1 -1:2\n", ":2: expected columns from 0 or 1 on"},
      {"1 a:2\n", "number of a column"},
      {"1 1:x\n", "expected a finite number"},
      {"1 1:nan\n", "expected a finite number"},
      {"1 3:1 2:1\n", "ascending order, found 2 after 3"},
      {"1 3:1 3:1\n", "ascending order"},
      {"\n# nothing\n", "has no samples"}};
  for (const auto& [text, message] : wrong) {
    const std::string path = file_with(folder, text);
    try {
      (void)read_libsvm(path);
      FAIL() << "accepted: " << text;
    } catch (const InputError& e) {
      const std::string what = e.what();
      EXPECT_NE(what.find(message), std::string::npos) << what;
      EXPECT_NE(what.find(path), std::string::npos) << what;
    }
  }
  EXPECT_THROW((void)read_libsvm(folder.file("missing")), InputError);
}

}  // namespace
