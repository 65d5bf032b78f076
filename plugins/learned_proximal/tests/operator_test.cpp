#include <cmath>
#include <libsolve/core/errors.hpp>
#include <limits>

#include "operator_support.hpp"

namespace {

using namespace learned_proximal;
using namespace learned_proximal::test;

/// z = f(y) is the point where R(z) + |z - y|^2 / 2 is least, among points where R is known from
/// the values f was given for them. Few inequalities, but of a function that is not convex.
TEST_F(Operators, ResultIsTheMinimumOfItsObjective) {
  const auto R = prepared();
  std::vector<std::vector<double>> y, z;
  std::vector<double> value;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    y.push_back(random_values(cells, seed, seed < 5 ? 0.3 : 2.0));
    z.push_back(f_of(*R, y.back()));
    value.push_back(*R->value(to_vector(z.back())));
  }
  for (std::size_t i = 0; i < y.size(); ++i)
    for (std::size_t j = 0; j < z.size(); ++j) {
      if (i == j) continue;
      const double here = value[i] + 0.5 * square_of_difference(z[i], y[i]);
      const double there = value[j] + 0.5 * square_of_difference(z[j], y[i]);
      EXPECT_LT(here, there) << i << " " << j;
    }
}

/// R of a point that is remembered is R of the same point found by inversion of f.
TEST_F(Operators, ValueByInversionIsTheValueRemembered) {
  for (const bool symmetric : {false, true}) {
    const auto R = prepared(1.0, symmetric), fresh = prepared(1.0, symmetric);
    const std::uint64_t seed = symmetric ? 1 : 2;
    const auto z = f_of(*R, random_values(cells, seed, 0.7));
    const std::optional<double> known = R->value(to_vector(z)), found = fresh->value(to_vector(z));
    ASSERT_TRUE(known && found);
    EXPECT_NEAR(*found, *known, 1e-9 * std::abs(*known));
    EXPECT_EQ(count(*R, "regularizer_inversions"), 0.0);
    EXPECT_EQ(count(*fresh, "regularizer_inversions"), 1.0);
  }
}

/// Who says stop is heard while f is inverted, and nobody waits for that point a second time.
TEST_F(Operators, InversionsAreStopped) {
  class Stop final : public Monitor {
   public:
    Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
    Verdict poll() override { return Verdict::time_limit; }
  } stop;
  const auto R = prepared();
  const Vector x = to_vector(random_values(cells, 2, 0.7));
  R->heed(&stop);
  EXPECT_FALSE(R->value(x).has_value());
  const double passes = count(*R, "network_passes");
  EXPECT_LE(passes, 8.0);
  R->heed(nullptr);
  EXPECT_FALSE(R->value(x).has_value());
  EXPECT_EQ(count(*R, "network_passes"), passes);
  // What was found is remembered as well.
  const Vector other = to_vector(random_values(cells, 3, 0.7));
  const auto found = R->value(other);
  ASSERT_TRUE(found.has_value());
  const double all = count(*R, "network_passes");
  EXPECT_EQ(R->value(other), found);
  EXPECT_EQ(count(*R, "network_passes"), all);
}

/// x - f^{-1}(x) is -R'(x), by differences of R.
TEST_F(Operators, GradientOfRIsWhatTheOperatorTakesAway) {
  const auto R = prepared();
  const auto y = random_values(cells, 3, 0.5), v = random_values(cells, 4, 1.0);
  const auto z = f_of(*R, y);
  const double h = 1e-4;
  std::vector<double> up = z, down = z;
  double slope = 0.0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    up[i] += h * v[i];
    down[i] -= h * v[i];
    slope += (y[i] - z[i]) * v[i];
  }
  const double difference = (*R->value(to_vector(up)) - *R->value(to_vector(down))) / (2.0 * h);
  EXPECT_NEAR(difference, slope, 1e-5 * std::abs(slope) + 1e-6);
}

TEST_F(Operators, ScaleIsThatOfThePictures) {
  const auto R = prepared(), S = prepared(0.25);
  auto y = random_values(cells, 5, 0.5);
  const auto z = f_of(*R, y);
  for (double& v : y) v *= 0.25;
  const auto small = f_of(*S, y);
  for (std::size_t i = 0; i < z.size(); ++i) ASSERT_NEAR(small[i], 0.25 * z[i], 1e-14);
  const double whole = *R->value(to_vector(z));
  EXPECT_NEAR(*S->value(to_vector(small)), whole / 16.0, 1e-12 * std::abs(whole));
}

/// Mirrored along x, along y, and both (half a turn), the picture gives the same result so mirrored;
/// without `symmetric` it does not.
TEST_F(Operators, MirrorImagesGiveMirrorImages) {
  const auto x = random_values(cells, 8, 0.5);
  for (const bool symmetric : {true, false}) {
    const auto R = prepared(1.0, symmetric);
    const auto f = f_of(*R, x);
    for (const int symmetry : {1, 2, 3}) {
      const auto mirrored = [&](std::size_t at) {
        const std::size_t i = at % nx, j = at / nx;
        return (symmetry % 2 == 1 ? nx - 1 - i : i) + nx * (symmetry / 2 == 1 ? ny - 1 - j : j);
      };
      std::vector<double> y(cells);
      for (std::size_t at = 0; at < cells; ++at) y[at] = x[mirrored(at)];
      const auto g = f_of(*R, y);
      double worst = 0.0;
      for (std::size_t at = 0; at < cells; ++at)
        worst = std::max(worst, std::abs(g[at] - f[mirrored(at)]));
      if (symmetric)
        EXPECT_LT(worst, 1e-13) << symmetry;
      else
        EXPECT_GT(worst, 1e-3) << symmetry;
    }
  }
}

/// The eight terms are the eight turns and mirror images: of psi(x^T) it is that of x.
TEST(Symmetries, AreThoseOfTheSquare) {
  ConvexNetworkOptions o;
  o.channels = 3;
  o.layers = 2;
  const ConvexNetwork network(o);
  const auto parameters = network.initial_parameters(1);
  EXPECT_EQ(network.turned(parameters, 0), parameters);
  const int n = 7;
  const auto x = random_values(49, 1, 1.0);
  const auto psi = [&](const std::vector<float>& p, const std::vector<double>& picture) {
    PackedNetwork<double> packed(network);
    packed.set(p);
    return ConvexPass<double>(packed, n, n).value(picture.data());
  };
  std::vector<double> values;
  for (int symmetry = 0; symmetry < num_symmetries; ++symmetry) {
    std::vector<double> turned(49);
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        int a = symmetry % 2 == 0 ? i : n - 1 - i, b = symmetry / 2 % 2 == 0 ? j : n - 1 - j;
        if (symmetry >= 4) std::swap(a, b);
        turned[static_cast<std::size_t>(n * j + i)] = x[static_cast<std::size_t>(n * b + a)];
      }
    const double whole = psi(network.turned(parameters, symmetry), turned);
    EXPECT_NEAR(whole, psi(parameters, x), 1e-12 * std::abs(whole)) << symmetry;
    values.push_back(psi(parameters, turned));
    for (int before = 0; before < symmetry; ++before)
      EXPECT_NE(values[static_cast<std::size_t>(before)], values.back()) << "one comes twice";
  }
}

TEST_F(Operators, TakesFieldsOneByOne) {
  const auto R = prepared(), both = operator_of(1.0);
  both->prepare(space_of(2, 2));
  auto x = random_values(cells, 6, 0.5);
  const auto y = random_values(cells, 7, 0.5);
  const std::vector<double> fx = f_of(*R, x), fy = f_of(*R, y);
  const double sum = *R->value(to_vector(fx)) + *R->value(to_vector(fy));
  x.insert(x.end(), y.begin(), y.end());
  const auto f = f_of(*both, x);
  for (std::size_t i = 0; i < cells; ++i) {
    EXPECT_EQ(f[i], fx[i]);
    EXPECT_EQ(f[cells + i], fy[i]);
  }
  EXPECT_NEAR(*both->value(to_vector(f)), sum, 1e-12 * std::abs(sum));
}

TEST_F(Operators, NamesWhatItDoesNotTake) {
  const auto message = [&](ProximalSpace space) {
    try {
      operator_of(1.0)->prepare(space);
    } catch (const Unsupported& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(message(space_of(1)).find("2D"), std::string::npos);
  EXPECT_NE(message(space_of(3)).find("2D"), std::string::npos);
  ProximalSpace space = space_of(2);
  space.lower.assign(cells, 0.0);
  space.upper.assign(cells, 1.0);
  EXPECT_NE(message(space).find("bounds"), std::string::npos);
  space = space_of(2);
  space.grid->spacing[1] = 0.5;
  EXPECT_NE(message(space).find("square cells"), std::string::npos);
  space = space_of(2);
  space.grid.reset();
  EXPECT_NE(message(space).find("grid"), std::string::npos);
  const auto R = prepared();
  EXPECT_EQ(R->fixed_step(), 1.0);
  const Vector x = to_vector(random_values(cells, 1, 1.0)), z = x.like("z");
  EXPECT_THROW((void)R->apply(x, 0.5, 1e-6, z), Unsupported);
}

TEST_F(Operators, NotANumberIsSaid) {
  const auto R = prepared();
  auto x = random_values(cells, 1, 1.0);
  x[7] = std::numeric_limits<double>::quiet_NaN();
  const Vector in = to_vector(x), z = in.like("z");
  EXPECT_TRUE(std::isnan(R->apply(in, 1.0, 1e-6, z)));
  EXPECT_FALSE(R->value(in).has_value());
}

TEST_F(Operators, NamesWhatIsWrongWithAFile) {
  const auto message = [&](const std::string& file) {
    try {
      LearnedProximalOptions o;
      o.weights = file;
      LearnedProximal(o, context).prepare(space_of(2));
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  Weights w = weights();
  w.network = "dcdm";
  EXPECT_NE(message(write("other.h5", w)).find("'dcdm'"), std::string::npos);
  w = weights();
  w.arrays.pop_back();
  EXPECT_NE(message(write("short.h5", w)).find("readout"), std::string::npos);
  w = weights();
  w.trained_on.kind = "poisson";
  EXPECT_NE(message(write("kind.h5", w)).find("poisson"), std::string::npos);
  w = weights();
  w.options.set("beta", Value(-1.0));
  EXPECT_NE(message(write("beta.h5", w)).find("beta"), std::string::npos);
  EXPECT_NE(message(folder.file("nowhere.h5")).find("nowhere"), std::string::npos);
}

}  // namespace
