#include "images.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/transport_problems.hpp>
#include <tests/support/vectors.hpp>

#include "colours.hpp"

namespace {

using namespace libsolve;
using namespace transport_sources;

class Pictures : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_.file(name), std::ios::binary) << bytes;
    return folder_.file(name);
  }
  std::unique_ptr<TransportProblem> create(ImagesOptions options) {
    options.common = {.regularization = 0.1};
    std::unique_ptr<Problem> problem = ImagesSource(options, {}).create();
    return std::unique_ptr<TransportProblem>(dynamic_cast<TransportProblem*>(problem.release()));
  }
  static void expect_refused(const std::function<void()>& body, const std::string& word) {
    try {
      body();
      ADD_FAILURE() << "accepted; '" << word << "' was expected";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
    }
  }
  test::TemporaryFolder folder_;
};

TEST_F(Pictures, DatasetsAndStacks) {
  const std::string path = folder_.file("images.h5");
  Hdf5File file = Hdf5File::create(path);
  file.array("/stack", std::vector<double>{0, 51, 255, 0, 0, 102, 204, 0}, {2, 2, 2});
  file.array("/bad", std::vector<double>{0, 1, std::nan(""), 1}, {2, 2});
  file.array("/line", std::vector<double>{0, 1}, {2});
  file.close();
  EXPECT_EQ(read_image(path, "stack", 1).values, (std::vector<double>{0, 0.4, 0.8, 0}));
  expect_refused([&] { read_image(path, "stack", 2); }, "no image 2");
  expect_refused([&] { read_image(path, "stack", -1); }, "3 axes");
  expect_refused([&] { read_image(path, "line", -1); }, "1 axes");
  expect_refused([&] { read_image(path, "bad", -1); }, "entry 2, is nan");
  expect_refused([&] { read_image(path, "stock", -1); }, "did you mean 'stack'");
}

TEST_F(Pictures, ResamplingKeepsTheMean) {
  Image image{8, 6, 1, {}};
  for (int k = 0; k < 48; ++k) image.values.push_back(0.01 * k);
  const auto mean = [](const Image& i) {
    double sum = 0.0;
    for (const double v : i.values) sum += v;
    return sum / static_cast<double>(i.values.size());
  };
  EXPECT_NEAR(mean(resampled(image, 4, 3)), mean(image), 1e-12);
  EXPECT_NEAR(resampled(image, 4, 3).at(0, 0), (0.0 + 0.01 + 0.08 + 0.09) / 4.0, 1e-12);
  const Image larger = resampled(image, 24, 18);
  EXPECT_NEAR(mean(larger), mean(image), 1e-12);
  EXPECT_NEAR(larger.at(4, 4), image.at(1, 1), 1e-12);  // the same middle
}

/// Pixels without mass are no points; the others lie at the middles of their pixels.
TEST_F(Pictures, PixelsWithMassAreThePoints) {
  const auto problem = create({.source_file = write("a.pgm", "P2 3 2 4 0 3 0 1 0 0"),
                               .target_file = write("b.pgm", "P2 2 2 4 4 4 4 4")});
  EXPECT_EQ(test::to_host(problem->points->x),
            (std::vector<std::vector<double>>{{1.5, 0.5}, {0.5, 1.5}}));
  EXPECT_EQ(test::to_host(problem->a()), (std::vector<double>{0.75, 0.25}));
  EXPECT_EQ(test::to_host(problem->b()), std::vector<double>(4, 0.25));
  const auto C = test::dense_cost(problem->cost());
  EXPECT_NEAR(C[0][2], 1.0 + 1.0, 1e-13);
  ASSERT_EQ(problem->extra_data.size(), 2u);
  EXPECT_EQ(problem->extra_data[0].shape, (std::vector<GlobalIndex>{2, 3}));
}

TEST_F(Pictures, BackgroundInversionAndTheWholeGrid) {
  const std::string a = write("a.pgm", "P2 2 1 4 4 0");
  const auto problem = create({.source_file = a, .background = 0.5, .norm = "manhattan", .power = 1.0});
  EXPECT_EQ(test::to_host(problem->a()), (std::vector<double>{0.75, 0.25}));
  const auto dark = create({.source_file = a, .invert = true});
  EXPECT_EQ(test::to_host(dark->points->x), (std::vector<std::vector<double>>{{1.5, 0.5}}));
}

/// Axis by axis or not, it is the same cost.
TEST_F(Pictures, SeparableCostsAreTheSame) {
  const std::string a = write("a.pgm", "P2 3 2 4 0 3 0 1 0 0");
  const std::string b = write("b.pgm", "P2 2 4 4 4 1 0 0 2 3 1 1");
  for (const std::string norm : {"euclidean", "manhattan"}) {
    ImagesOptions options{.source_file = a, .target_file = b, .background = 0.1, .norm = norm};
    options.power = norm == "manhattan" ? 1.0 : 2.0;
    options.scale = std::nullopt;
    const auto grid = test::dense_cost(create(options)->cost());
    options.separable = false;
    const auto dense = test::dense_cost(create(options)->cost());
    ASSERT_EQ(grid.size(), 6u);
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 8; ++j) EXPECT_NEAR(grid[i][j], dense[i][j], 1e-14);
  }
}

TEST_F(Pictures, WithoutMassOrBalanceIsRefused) {
  const std::string black = write("a.pgm", "P2 2 1 4 0 0");
  const std::string one = write("b.pgm", "P2 2 1 4 4 0");
  const std::string two = write("c.pgm", "P2 2 1 4 4 4");
  expect_refused([&] { create({.source_file = black}); }, "has no mass: every pixel is black");
  expect_refused([&] { create({.source_file = one, .target_file = two, .normalise = false}); },
                 "total of a is 1");
}

/// Two colours of shares 3 : 1 are what clusters of any number come to.
TEST_F(Pictures, ClustersAreTheColours) {
  const std::string text = "P3 2 2 255 255 0 0 255 0 0 0 0 255 255 0 0";
  const Palette palette = palette_of(read_image(write("a.ppm", text), "", -1), 4, 3, 1, "test");
  ASSERT_LE(palette.masses.size(), 2u);
  double red = 0.0, total = 0.0;
  for (std::size_t k = 0; k < palette.masses.size(); ++k) {
    total += palette.masses[k];
    if (palette.points[3 * k] > 0.5) red += palette.masses[k];
  }
  EXPECT_NEAR(total, 1.0, 1e-15);
  EXPECT_NEAR(red, 0.75, 1e-15);
  const auto problem = create({.source_file = folder_.file("a.ppm"), .mode = "colours", .colours = 4});
  EXPECT_EQ(problem->points->x.extent(1), 3u);
  EXPECT_NEAR(detail::total_of(problem->a()), 1.0, 1e-15);
  EXPECT_EQ(problem->extra_data[0].shape, (std::vector<GlobalIndex>{2, 2, 3}));
}

/// More Lloyd steps never make the mean squared distance to the nearest colour larger.
TEST_F(Pictures, ClusteringLowersTheDistortion) {
  Image image{40, 30, 3, {}};
  for (int k = 0; k < 3600; ++k) image.values.push_back(0.5 + 0.5 * std::sin(0.37 * k * (1 + k % 3)));
  const auto distortion = [&](int steps) {
    const Palette p = palette_of(image, 20, steps, 1, "test");
    double sum = 0.0;
    for (std::size_t i = 0; i < image.values.size(); i += 3) {
      double best = 1e300;
      for (std::size_t k = 0; k < p.points.size(); k += 3) {
        double s = 0.0;
        for (std::size_t d = 0; d < 3; ++d) s += std::pow(image.values[i + d] - p.points[k + d], 2);
        best = std::min(best, s);
      }
      sum += best;
    }
    return sum;
  };
  EXPECT_LT(distortion(1), distortion(0));
  EXPECT_LE(distortion(5), distortion(1));
}

}  // namespace
