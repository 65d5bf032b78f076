#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <new>
#include <string>

namespace {

using namespace libsolve;

/// What together() throws on this rank: class and words.
template <class Expected, class Body>
std::string words_of(const Body& body) {
  try {
    together(Communicator::world(), body);
  } catch (const Expected& e) {
    return e.what();
  }
  return "nothing";
}

TEST(Together, OneRanksFaultIsThatOfAll) {
  const Communicator world = Communicator::world();
  const int last = world.size() - 1;
  const std::string text = "row " + std::to_string(last) + " is at fault: 3.5";
  const auto on_last = [&](const auto& error) {
    return [&, error] {
      if (world.rank() == last) throw error;
    };
  };
  EXPECT_EQ(words_of<Unsupported>(on_last(Unsupported(text))), text);
  EXPECT_EQ(words_of<NumericalError>(on_last(NumericalError(text))), text);
  EXPECT_EQ(words_of<BackendError>(on_last(BackendError(text))), text);
  EXPECT_EQ(words_of<InputError>(on_last(InputError({}, "", text))), text);
  EXPECT_EQ(words_of<std::runtime_error>(on_last(std::runtime_error(text))), text);
}

/// Each has one of its own: the first rank's it is.
TEST(Together, TheFirstOfSeveralFaultsHolds) {
  const Communicator world = Communicator::world();
  const auto all_but_first = [&] {
    if (world.rank() > 0) throw DataError("rank " + std::to_string(world.rank()));
  };
  EXPECT_EQ(words_of<DataError>(all_but_first), "rank 1");
}

TEST(Together, NothingHappensWhereAllIsWell) {
  int calls = 0;
  together(Communicator::world(), [&] { ++calls; });
  EXPECT_EQ(calls, 1);
  EXPECT_THROW(together(Communicator::world(), [] { throw std::bad_alloc(); }), std::bad_alloc);
}

}  // namespace
