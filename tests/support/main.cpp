#include <gtest/gtest.h>

#include <libsolve/core/runtime.hpp>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const libsolve::Runtime runtime(argc, argv);
  return RUN_ALL_TESTS();
}
