#include <libsolve/io/matrix_market.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/temporary_folder.hpp>

#if LIBSOLVE_HAVE_ZLIB
#include <zlib.h>
#endif

namespace {

using namespace libsolve;
using test::Dense;

class MatrixMarket : public ::testing::Test {
 protected:
  std::string write(const std::string& text, const std::string& name = "a.mtx") const {
    std::ofstream(folder_.file(name), std::ios::binary) << text;
    return folder_.file(name);
  }
  Dense read(const std::string& text) const {
    return test::to_dense(*read_matrix_market(write(text)));
  }
  /// What the reader says of `text`, without the folder's name; "" when it accepts it.
  std::string complaint(const std::string& text) const {
    try {
      read_matrix_market(write(text));
    } catch (const InputError& error) {
      std::string message = error.what();
      const size_t at = message.find("a.mtx");
      return at == std::string::npos ? "names no file: " + message : message.substr(at);
    }
    return {};
  }
  void expect_complaint(const std::string& text, const std::string& start,
                        const std::string& part = {}) const {
    const std::string message = complaint(text);
    EXPECT_EQ(message.substr(0, start.size()), start) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  test::TemporaryFolder folder_;
};

// ---- what is read ------------------------------------------------------------------------------

TEST_F(MatrixMarket, GeneralRealInAnyOrderWithCommentsAndBlankLines) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n% a comment\n%\n\n2 3 4\n"
                 "2 3 -1.5e2\n1 1 +2\n\n  1   2\t.25  \n2 1 1e-3\n"),
            (Dense{{2.0, 0.25, 0.0}, {1e-3, 0.0, -150.0}}));
}

TEST_F(MatrixMarket, BannerInAnyCaseLinesEndingInCarriageReturnLastLineOpen) {
  EXPECT_EQ(read("%%matrixmarket MATRIX Coordinate Real GENERAL\r\n1 1 1\r\n1 1 3.5"),
            (Dense{{3.5}}));
}

TEST_F(MatrixMarket, SymmetricSkewSymmetricIntegerPattern) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 4\n2 1 -1\n"),
            (Dense{{4.0, -1.0}, {-1.0, 0.0}}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate integer skew-symmetric\n2 2 1\n2 1 7\n"),
            (Dense{{0.0, -7.0}, {7.0, 0.0}}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate pattern symmetric\n2 2 2\n2 2\n2 1\n"),
            (Dense{{0.0, 1.0}, {1.0, 1.0}}));
}

TEST_F(MatrixMarket, DuplicatesAreSummedOnBothSidesOfTheDiagonal) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n2 1 1\n1 1 5\n2 1 0.5\n"),
            (Dense{{5.0, 1.5}, {1.5, 0.0}}));
}

TEST_F(MatrixMarket, ArraysAreStoredByColumns) {
  EXPECT_EQ(read("%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n0\n5\n6\n"),
            (Dense{{1.0, 3.0, 5.0}, {2.0, 0.0, 6.0}}));
  EXPECT_EQ(read("%%MatrixMarket matrix array integer symmetric\n2 2\n1\n2\n3\n"),
            (Dense{{1.0, 2.0}, {2.0, 3.0}}));
  EXPECT_EQ(read("%%MatrixMarket matrix array real skew-symmetric\n3 3\n1\n2\n3\n"),
            (Dense{{0.0, -1.0, -2.0}, {1.0, 0.0, -3.0}, {2.0, 3.0, 0.0}}));
}

TEST_F(MatrixMarket, VectorsByColumnFromArrayAndCoordinate) {
  const std::string array = write("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n");
  EXPECT_EQ(test::to_host(read_matrix_market_vector(array)), (std::vector<double>{1.0, 2.0}));
  EXPECT_EQ(test::to_host(read_matrix_market_vector(array, 1)), (std::vector<double>{3.0, 4.0}));
  EXPECT_THROW(read_matrix_market_vector(array, 2), InputError);
  const std::string sparse =
      write("%%MatrixMarket matrix coordinate real general\n3 1 1\n2 1 9\n", "b.mtx");
  EXPECT_EQ(test::to_host(read_matrix_market_vector(sparse)), (std::vector<double>{0.0, 9.0, 0.0}));
}

TEST_F(MatrixMarket, NoEntriesAndNoRows) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n2 1 0\n"), (Dense{{0.0}, {0.0}}));
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n0 0 0\n"), Dense{});
}

TEST_F(MatrixMarket, TinyNumbersAreReadAndHugeOnesRefused) {
  EXPECT_EQ(read("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1e-400\n"),
            (Dense{{0.0}}));
  expect_complaint("%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1e400\n",
                   "a.mtx:3: expected a value, found \"1e400\"", "not a finite double");
}

TEST_F(MatrixMarket, HeaderAlone) {
  const auto h = read_matrix_market_header(write(
      "%%MatrixMarket matrix coordinate integer symmetric\n%x\n5000000 5000000 9000000000\n"));
  EXPECT_EQ(h.field, MatrixMarketHeader::Field::integer);
  EXPECT_EQ(h.symmetry, MatrixMarketHeader::Symmetry::symmetric);
  EXPECT_EQ(h.num_rows, 5000000);
  EXPECT_EQ(h.num_entries, 9000000000);  // beyond 32 bits
}

#if LIBSOLVE_HAVE_ZLIB
TEST_F(MatrixMarket, GzipIsRecognisedByContentAndTruncationSeen) {
  std::string text = "%%MatrixMarket matrix array real general\n20000 1\n";
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 20011) + "\n";
  const std::string path = folder_.file("v.mtx");
  gzFile out = gzopen(path.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  const auto v = test::to_host(read_matrix_market_vector(path));
  ASSERT_EQ(v.size(), 20000U);
  EXPECT_EQ(v[19999], 19999 * 7919 % 20011);
  EXPECT_EQ(read_matrix_market_header(path).num_rows, 20000);

  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THROW(read_matrix_market_vector(path), InputError);
}
#endif

// ---- what is refused ---------------------------------------------------------------------------

TEST_F(MatrixMarket, BadBanners) {
  expect_complaint("1 1 1\n1 1 1\n", "a.mtx:1: is not a Matrix Market file: expected the banner");
  expect_complaint("", "a.mtx:1: is not a Matrix Market file");
  expect_complaint("%%MatrixMarket matrix coordinate real\n1 1 0\n",
                   "a.mtx:1: the banner has 4 words");
  expect_complaint("%%MatrixMarket vector coordinate real general\n1 1 0\n",
                   "a.mtx:1: the banner gives the object as \"vector\"; expected matrix");
  expect_complaint("%%MatrixMarket matrix cordinate real general\n1 1 0\n",
                   "a.mtx:1: the banner gives the format as \"cordinate\"",
                   "did you mean \"coordinate\"");
  expect_complaint("%%MatrixMarket matrix coordinate real symetric\n1 1 0\n",
                   "a.mtx:1: the banner gives the symmetry as \"symetric\"",
                   "did you mean \"symmetric\"");
  expect_complaint("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n",
                   "a.mtx:1: holds complex numbers, and libsolve is real");
  expect_complaint("%%MatrixMarket matrix coordinate complex hermitian\n1 1 1\n1 1 1 0\n",
                   "a.mtx:1: holds complex numbers");
  expect_complaint("%%MatrixMarket matrix array pattern general\n1 1\n",
                   "a.mtx:1: an array of pattern");
  expect_complaint("%%MatrixMarket matrix coordinate pattern skew-symmetric\n2 2 1\n2 1\n",
                   "a.mtx:1: a pattern has no signs");
}

TEST_F(MatrixMarket, BadSizeLines) {
  const std::string banner = "%%MatrixMarket matrix coordinate real general\n";
  expect_complaint(banner + "% only comments\n", "a.mtx:3: the file ends before the size line");
  expect_complaint(banner + "2 2\n",
                   "a.mtx:2: expected the number of entries, found the end of the line");
  expect_complaint(banner + "2 2 1 7\n", "a.mtx:2: expected the size line", "found \"7\"");
  expect_complaint(banner + "2 two 1\n", "a.mtx:2: expected the number of columns, found \"two\"");
  expect_complaint(banner + "-2 2 1\n", "a.mtx:2: expected sizes of 0 or more");
  expect_complaint(banner + "4294967296 2 1\n1 1 1\n", "a.mtx:2: has 4294967296 rows",
                   "at most 2147483647");
  expect_complaint("%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n",
                   "a.mtx:2: a symmetric matrix is square, this one is 2 x 3");
}

TEST_F(MatrixMarket, TooFewAndTooManyEntries) {
  const std::string banner = "%%MatrixMarket matrix coordinate real general\n";
  expect_complaint(banner + "2 2 2\n1 1 1.00000000\n",
                   "a.mtx:4: expected 2 entries, the file ends after 1");
  expect_complaint(banner + "2 2 1\n1 1 1\n% fine\n2 2 1\n",
                   "a.mtx:5: expected the end of the file after 1 entries, found more");
  // No memory is taken for what the file cannot hold.
  expect_complaint(banner + "2 2 1000000000000\n1 1 1\n", "a.mtx:3: expected 1000000000000 entries",
                   "cut off or the size line is wrong");
  expect_complaint("%%MatrixMarket matrix array real general\n2 1\n1.0000\n",
                   "a.mtx:4: expected 2 entries, the file ends after 1");
}

TEST_F(MatrixMarket, BadEntries) {
  const std::string banner = "%%MatrixMarket matrix coordinate real general\n% c\n2 3 1\n";
  expect_complaint(banner + "3 1 1.0\n", "a.mtx:4: expected a row from 1 to 2, found 3");
  expect_complaint(banner + "0 1 1.0\n", "a.mtx:4: expected a row from 1 to 2, found 0");
  expect_complaint(banner + "1 4 1.0\n", "a.mtx:4: expected a column from 1 to 3, found 4");
  expect_complaint(banner + "1 1 one\n", "a.mtx:4: expected a value, found \"one\"");
  expect_complaint(banner + "1 1 1.0x\n", "a.mtx:4: expected a value, found \"1.0x\"");
  expect_complaint(banner + "1.5 1 1.0\n", "a.mtx:4: expected a row number, found \"1.5\"");
  expect_complaint(banner + "1 1    \n", "a.mtx:4: expected a value, found the end of the line");
  expect_complaint(banner + "1 1 1.0 2.0\n", "a.mtx:4: expected \"row column value\" on a line",
                   "found \"2.0\"");
  expect_complaint(banner + "1 1 nan\n",
                   "a.mtx:4: expected a value, found \"nan\", which is not a finite");
  expect_complaint(banner + "1 1 -inf\n",
                   "a.mtx:4: expected a value, found \"-inf\", which is not");
  expect_complaint("%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 1.5\n",
                   "a.mtx:3: expected an integer value, found \"1.5\"");
  expect_complaint("%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n",
                   "a.mtx:3: entry (1, 2) lies above the diagonal");
  expect_complaint("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 2 1\n",
                   "a.mtx:3: entry (2, 2) lies on the diagonal");
}

TEST_F(MatrixMarket, MissingFileIsNamed) {
  try {
    read_matrix_market(folder_.file("none.mtx"));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("none.mtx"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
  }
}

// ---- writing -----------------------------------------------------------------------------------

TEST_F(MatrixMarket, WhatIsWrittenReadsBackToTheSameDoubles) {
  const auto general = make_csr_matrix(50, 30, test::random_entries(50, 30, 4));
  const std::string path = folder_.file("w.mtx");
  write_matrix_market(path, *general, "made by a test\nin two lines");
  EXPECT_EQ(read_matrix_market_header(path).symmetry, MatrixMarketHeader::Symmetry::general);
  EXPECT_EQ(test::to_dense(*read_matrix_market(path)), test::to_dense(*general));

  const auto symmetric = test::random_spd(40, 5);
  write_matrix_market(path, *symmetric);
  EXPECT_EQ(read_matrix_market_header(path).symmetry, MatrixMarketHeader::Symmetry::symmetric);
  EXPECT_EQ(test::to_dense(*read_matrix_market(path)), test::to_dense(*symmetric));

  const std::vector<double> v = {0.1, -1e-310, 1.0 / 3.0, 1e300};
  write_matrix_market(path, test::to_vector(v));
  EXPECT_EQ(test::to_host(read_matrix_market_vector(path)), v);
  EXPECT_THROW(write_matrix_market(folder_.file("no/such/folder.mtx"), *symmetric), IoError);
}

}  // namespace
