#include <gtest/gtest.h>

#include <libsolve/core/value.hpp>
#include <limits>

namespace {

using libsolve::Value;

TEST(Value, KnowsItsType) {
  EXPECT_TRUE(Value().is_table());
  EXPECT_TRUE(Value(true).is_bool());
  EXPECT_TRUE(Value(3).is_integer());
  EXPECT_TRUE(Value(3.0).is_float());
  EXPECT_TRUE(Value("text").is_string());
  EXPECT_TRUE(Value(Value::Array{1, 2}).is_array());
  EXPECT_TRUE(Value(3).is_number());
  EXPECT_TRUE(Value(3.5).is_number());
  EXPECT_FALSE(Value("3").is_number());
  EXPECT_EQ(Value(3).as_number(), 3.0);
  EXPECT_EQ(Value(true).type_name(), "a boolean");
  EXPECT_EQ(Value(1).type_name(), "an integer");
  EXPECT_EQ(Value(1.0).type_name(), "a float");
  EXPECT_EQ(Value("").type_name(), "a string");
  EXPECT_EQ(Value(Value::Array{}).type_name(), "an array");
  EXPECT_EQ(Value().type_name(), "a table");
  EXPECT_THROW(Value(1).as_string(), std::bad_variant_access);
}

TEST(Value, TablesKeepTheOrderWritten) {
  Value table;
  table.set("b", 1);
  table.set("a", 2);
  EXPECT_EQ(table.set("b", 3).as_integer(), 3);
  ASSERT_EQ(table.as_table().size(), 2U);
  EXPECT_EQ(table.as_table()[0].first, "b");
  EXPECT_EQ(table.find("b")->as_integer(), 3);
  EXPECT_EQ(table.find("c"), nullptr);
  EXPECT_EQ(Value(1).find("a"), nullptr);
}

TEST(Value, TextIsToml) {
  EXPECT_EQ(Value(true).to_text(), "true");
  EXPECT_EQ(Value(-7).to_text(), "-7");
  EXPECT_EQ(Value(std::numeric_limits<std::int64_t>::max()).to_text(), "9223372036854775807");
  EXPECT_EQ(Value(2.0).to_text(), "2.0");  // stays a float
  EXPECT_EQ(Value(1e-8).to_text(), "1e-08");
  EXPECT_EQ(Value(1e300).to_text(), "1e+300");
  EXPECT_EQ(Value(std::numeric_limits<double>::infinity()).to_text(), "inf");
  EXPECT_EQ(Value(std::numeric_limits<double>::quiet_NaN()).to_text(), "nan");
  EXPECT_EQ(Value("a \"quoted\" \\ word").to_text(), "\"a \\\"quoted\\\" \\\\ word\"");
  EXPECT_EQ(Value("two\nlines\tand a bell\a").to_text(), "\"two\\nlines\\tand a bell\\u0007\"");
  EXPECT_EQ(Value(Value::Array{1, 2.5, "x"}).to_text(), "[1, 2.5, \"x\"]");
  EXPECT_EQ(Value(Value::Array{}).to_text(), "[]");
  EXPECT_EQ(Value().to_text(), "{}");
  Value table;
  table.set("name", "cg");
  table.set("odd key", Value());
  EXPECT_EQ(table.to_text(), "{ name = \"cg\", \"odd key\" = {} }");
}

}  // namespace
