#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/types.hpp>
#include <vector>

namespace {

using libsolve::ExecSpace;
using libsolve::RandomStream;

/// The lines "philox4x32 10" of kat_vectors in the Random123 distribution (Salmon and others).
TEST(Random, PhiloxGivesThePublishedVectors) {
  struct Known {
    std::uint32_t counter[4], key[2], result[4];
  };
  const Known known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Known& k : known) {
    const auto b = RandomStream::philox({{k.counter[0], k.counter[1], k.counter[2], k.counter[3]}},
                                        k.key[0], k.key[1]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(b.word[i], k.result[i]);
  }
}

struct Draws {
  Kokkos::View<std::uint64_t*, libsolve::MemSpace> bits;
  Kokkos::View<double*, libsolve::MemSpace> uniform, normal;
};

/// Draws numbers 0 .. n-1 in blocks of `chunk`, on as many threads as there are.
Draws draw(const RandomStream& stream, int n, int chunk) {
  const Draws d = {Kokkos::View<std::uint64_t*, libsolve::MemSpace>("test::bits", n),
                   Kokkos::View<double*, libsolve::MemSpace>("test::uniform", n),
                   Kokkos::View<double*, libsolve::MemSpace>("test::normal", n)};
  const Kokkos::RangePolicy<ExecSpace, Kokkos::Schedule<Kokkos::Dynamic>> policy(
      0, n, Kokkos::ChunkSize(chunk));
  Kokkos::parallel_for(
      "test::draw", policy, KOKKOS_LAMBDA(int i) {
        d.bits(i) = stream.bits(static_cast<std::uint64_t>(i));
        d.uniform(i) = stream.uniform(static_cast<std::uint64_t>(i));
        d.normal(i) = stream.normal(static_cast<std::uint64_t>(i));
      });
  return d;
}

template <class View>
auto on_host(const View& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return std::vector<typename View::non_const_value_type>(host.data(), host.data() + host.size());
}

TEST(Random, DoesNotDependOnWhoDrawsWhat) {
  const RandomStream stream(42, "test");
  const int n = 10007;
  const Draws a = draw(stream, n, 1);
  const Draws b = draw(stream, n, 1024);
  EXPECT_EQ(on_host(a.bits), on_host(b.bits));
  EXPECT_EQ(on_host(a.uniform), on_host(b.uniform));
  EXPECT_EQ(on_host(a.normal), on_host(b.normal));
  // And backwards, by one thread of the host.
  const auto bits = on_host(a.bits);
  const auto uniform = on_host(a.uniform);
  const auto normal = on_host(a.normal);
  for (int i = n - 1; i >= 0; --i) {
    const auto index = static_cast<std::uint64_t>(i);
    ASSERT_EQ(stream.bits(index), bits[i]);
    ASSERT_EQ(stream.uniform(index), uniform[i]);
    ASSERT_NEAR(stream.normal(index), normal[i], 1e-14 * (1.0 + std::abs(normal[i])));
  }
}

/// Over n draws, a mean of k-th powers lies within 5 standard errors of the moment.
void expect_moment(const std::vector<double>& x, int power, double moment, double variance) {
  double sum = 0.0;
  for (const double v : x) sum += std::pow(v, power);
  const auto n = static_cast<double>(x.size());
  EXPECT_NEAR(sum / n, moment, 5.0 * std::sqrt(variance / n)) << "power " << power;
}

/// U(0, 1): E u^k = 1 / (k + 1), Var u^k = 1 / (2k + 1) - 1 / (k + 1)^2.
TEST(Random, UniformHasItsMoments) {
  const auto x = on_host(draw(RandomStream(1, "moments"), 1 << 20, 1024).uniform);
  for (int k = 1; k <= 4; ++k)
    expect_moment(x, k, 1.0 / (k + 1.0), 1.0 / (2.0 * k + 1.0) - 1.0 / ((k + 1.0) * (k + 1.0)));
  for (const double v : x) ASSERT_TRUE(v >= 0.0 && v < 1.0);
}

/// N(0, 1): moments 0, 1, 0, 3; variances of the powers 1, 2, 15, 96.
TEST(Random, NormalHasItsMoments) {
  const auto x = on_host(draw(RandomStream(1, "moments"), 1 << 20, 1024).normal);
  expect_moment(x, 1, 0.0, 1.0);
  expect_moment(x, 2, 1.0, 2.0);
  expect_moment(x, 3, 0.0, 15.0);
  expect_moment(x, 4, 3.0, 96.0);
  for (const double v : x) ASSERT_TRUE(std::isfinite(v));
}

/// The correlation of n pairs of independent numbers is 0 within 5 / sqrt(n).
double correlation(const RandomStream& a, const RandomStream& b, std::uint64_t shift) {
  const std::uint64_t n = 1 << 16;
  double sum = 0.0;
  for (std::uint64_t i = 0; i < n; ++i) sum += (a.uniform(i) - 0.5) * (b.uniform(i + shift) - 0.5);
  return 12.0 * sum / static_cast<double>(n);
}

TEST(Random, StreamsAreIndependent) {
  const double bound = 5.0 / std::sqrt(65536.0);
  const RandomStream a(1, "one");
  EXPECT_NEAR(correlation(a, a, 0), 1.0, 0.05);
  EXPECT_NEAR(correlation(a, a, 1), 0.0, bound);                                    // neighbours
  EXPECT_NEAR(correlation(a, RandomStream(2, "one"), 0), 0.0, bound);               // seeds
  EXPECT_NEAR(correlation(a, RandomStream(1, "two"), 0), 0.0, bound);               // purposes
  EXPECT_NEAR(correlation(a, RandomStream(1ULL << 32 | 1, "one"), 0), 0.0, bound);  // high bits
}

TEST(Random, IndicesBeyond32BitsDiffer) {
  const RandomStream stream(1, "test");
  EXPECT_NE(stream.bits(5), stream.bits(5 + (1ULL << 32)));
}

TEST(Random, ScaledUniformStaysInItsInterval) {
  const RandomStream stream(3, "test");
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const double v = stream.uniform(i, -2.0, 5.0);
    ASSERT_TRUE(v >= -2.0 && v < 5.0);
    ASSERT_DOUBLE_EQ(v, -2.0 + 7.0 * stream.uniform(i));
  }
}

/// Results of old seeds must stay what they were. Numbers from a separate program: key (seed),
/// counter (index, FNV-1a of the purpose).
TEST(Random, StaysTheSameFromVersionToVersion) {
  constexpr RandomStream stream(1, "right_hand_side");
  EXPECT_EQ(stream.bits(0), 0xe8b82830c9d9184eULL);
  EXPECT_EQ(stream.bits(7), 0xe195d87a318dd3faULL);
  EXPECT_EQ(stream.bits(1ULL << 40), 0xa4e20a8657f28054ULL);
  EXPECT_EQ(stream.uniform(0), 0.9090600127327416);
  EXPECT_EQ(stream.uniform(1ULL << 40), 0.6440741136538666);
}

TEST(RandomVector, EntriesAreTheNumbersAtTheirIndex) {
  const RandomStream stream(7, "test");
  const libsolve::Vector x("test::x", libsolve::Partition(10007));
  libsolve::fill_uniform(x, stream, -2.0, 5.0);
  const auto uniform = on_host(x.view());
  libsolve::fill_normal(x, stream);
  const auto normal = on_host(x.view());
  for (std::size_t i = 0; i < uniform.size(); ++i) {
    ASSERT_EQ(uniform[i], stream.uniform(i, -2.0, 5.0));
    ASSERT_NEAR(normal[i], stream.normal(i), 1e-14 * (1.0 + std::abs(normal[i])));
  }
}

}  // namespace
