#include <gtest/gtest.h>

#include <libsolve/core/types.hpp>
#include <libsolve/plugin/abi_stamp.hpp>
#include <libsolve/plugin/detail/plugin_file.hpp>

namespace {

using namespace libsolve::detail;

std::string value(const AbiFields& fields, const std::string& key) {
  for (const auto& [name, text] : fields)
    if (name == key) return text;
  return "(none)";
}

TEST(AbiStamp, OfThisFileIsThatOfTheLibrary) {
  constexpr AbiText here{abi_stamp()};
  EXPECT_EQ(std::string(here.text), own_abi_text());
}

TEST(AbiStamp, SaysWhatWasBuilt) {
  const AbiFields own = parse_abi_text(own_abi_text());
  EXPECT_EQ(value(own, "libsolve-abi"), "1");
  EXPECT_EQ(value(own, "libsolve_version"), LIBSOLVE_VERSION);
  EXPECT_EQ(value(own, "cxx_standard"), std::to_string(__cplusplus));
  EXPECT_EQ(value(own, "index_bits"), "32 local, 64 global");
  EXPECT_NE(value(own, "backends").find(Kokkos::DefaultExecutionSpace::name()), std::string::npos);
  for (const auto& [key, text] : own) EXPECT_FALSE(text.empty()) << key;
}

TEST(AbiStamp, ComparisonNamesWhatDiffersOrIsMissing) {
  const AbiFields a = parse_abi_text("x=1\ny=2\nz=3\n");
  EXPECT_TRUE(compare_abi(a, a).empty());
  const auto mismatches = compare_abi(parse_abi_text("x=1\ny=5\nnew=7"), a);
  ASSERT_EQ(mismatches.size(), 3U);
  EXPECT_EQ(mismatches[0].field, "y");
  EXPECT_EQ(mismatches[0].plugin, "5");
  EXPECT_EQ(mismatches[0].libsolve, "2");
  EXPECT_EQ(mismatches[1].field, "z");
  EXPECT_EQ(mismatches[1].plugin, "(none)");
  EXPECT_EQ(mismatches[2].field, "new");
  EXPECT_EQ(mismatches[2].libsolve, "(none)");
}

TEST(AbiStamp, LongValuesAreCutNotOverrun) {
  AbiWord word;
  for (int i = 0; i < 40; ++i) word << "abcdefgh";
  EXPECT_EQ(std::string(word.text).size(), sizeof word.text - 1);
  AbiWord number;
  number << 0L << " " << 202002L;
  EXPECT_STREQ(number.text, "0 202002");
}

}  // namespace
