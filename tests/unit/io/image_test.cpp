#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/image.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <tests/support/png.hpp>
#include <tests/support/temporary_folder.hpp>

namespace {

using namespace libsolve;
using namespace std::string_literals;
using test::png_bytes;
using test::PngKind;

class ImageFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_.file(name), std::ios::binary) << bytes;
    return folder_.file(name);
  }
  static void expect_refused(const std::function<void()>& body, const std::string& word) {
    try {
      body();
      ADD_FAILURE() << "accepted; '" << word << "' was expected";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
    }
  }
  SpatialFunction function_of(const std::string& text, int dimension = 2) {
    return make_spatial_function(text, dimension,
                                 [&](const std::string& name) { return folder_.file(name); });
  }
  test::TemporaryFolder folder_;
};

class PngFiles : public ImageFiles {
 protected:
  void SetUp() override {
    if (!png_is_supported()) GTEST_SKIP() << "a build without libpng";
  }
};

TEST_F(PngFiles, OfAllKindsAndDepths) {
  const Image bytes =
      read_image(write("a.png", png_bytes(3, 2, 8, PngKind::grey, "\x00\x33\xff\x66\x99\xcc"s)));
  EXPECT_EQ(bytes.width, 3);
  EXPECT_EQ(bytes.height, 2);
  EXPECT_EQ(bytes.values, (std::vector<double>{0.0, 0.2, 1.0, 0.4, 0.6, 0.8}));
  const Image words = read_image(write("b.png", png_bytes(1, 1, 16, PngKind::grey, "\x80\x01"s)));
  EXPECT_EQ(words.values[0], 32769.0 / 65535.0);
  // One bit a pixel: 10110000.
  const Image bits = read_image(write("c.png", png_bytes(4, 1, 1, PngKind::grey, "\xb0"s)));
  EXPECT_EQ(bits.values, (std::vector<double>{1.0, 0.0, 1.0, 1.0}));
  const Image rgb = read_image(write("d.png", png_bytes(1, 1, 8, PngKind::rgb, "\xff\x33\x66"s)));
  EXPECT_EQ(rgb.channels, 3);
  EXPECT_EQ(rgb.values, (std::vector<double>{1.0, 0.2, 0.4}));
  EXPECT_NEAR(grey(rgb).values[0], 1.6 / 3.0, 1e-15);
  const Image palette =
      read_image(write("e.png", png_bytes(2, 1, 8, PngKind::palette, "\x01\x00"s,
                                          test::png_chunk("PLTE", "\x00\x33\xff\xff\xff\x66"s))));
  EXPECT_EQ(palette.values, (std::vector<double>{1.0, 1.0, 0.4, 0.0, 0.2, 1.0}));
}

/// Half a black over white is grey, none of it white.
TEST_F(PngFiles, OpacityIsOverWhite) {
  const Image a =
      read_image(write("a.png", png_bytes(2, 1, 8, PngKind::grey_alpha, "\x00\x33\x00\x00"s)));
  EXPECT_EQ(a.channels, 1);
  EXPECT_NEAR(a.values[0], 0.8, 1e-15);
  EXPECT_EQ(a.values[1], 1.0);
  const Image b = read_image(write("b.png", png_bytes(1, 1, 8, PngKind::rgba, "\xff\x00\x00\xff"s)));
  EXPECT_EQ(b.values, (std::vector<double>{1.0, 0.0, 0.0}));
}

TEST_F(PngFiles, BrokenOnesAreRefused) {
  std::string good = png_bytes(3, 2, 8, PngKind::grey, "abcdef");
  expect_refused([&] { read_image(write("cut.png", good.substr(0, 50))); }, "cut.png: is no whole PNG file");
  expect_refused([&] { read_image(write("head.png", good.substr(0, 20))); }, "no whole PNG file");
  good[50] ^= 1;  // within the pixels: their checksum is wrong
  expect_refused([&] { read_image(write("wrong.png", good)); }, "no whole PNG file");
}

TEST_F(ImageFiles, WithoutLibpngTheCureIsNamed) {
  if (png_is_supported()) GTEST_SKIP() << "a build with libpng";
  const std::string path = write("a.png", png_bytes(1, 1, 8, PngKind::grey, "a"));
  expect_refused([&] { read_image(path); }, "LIBSOLVE_ENABLE_PNG=ON");
}

TEST_F(ImageFiles, OthersAreRefused) {
  expect_refused([&] { read_image(folder_.file("none.png")); }, "none.png: cannot be opened");
  expect_refused([&] { read_image(write("a.png", "GIF89a")); }, "no PNG file and no portable anymap");
  expect_refused([&] { read_image(folder_.path()); }, "cannot be");
}

TEST_F(ImageFiles, AnymapsOfAllKinds) {
  const std::vector<double> expected = {0.0, 1.0, 0.5, 0.25, 0.75, 0.0};
  const Image text = read_image(write("a.pgm", "P2 # grey\n3 2\n4\n0 4 2\n1 3 0\n"));
  EXPECT_EQ(text.values, expected);
  EXPECT_EQ(text.width, 3);
  EXPECT_EQ(text.height, 2);
  const Image bytes =
      read_image(write("b.pgm", std::string("P5\n3 2\n4\n") + std::string("\0\4\2\1\3\0", 6)));
  EXPECT_EQ(bytes.values, expected);
  const Image wide = read_image(
      write("c.pgm", std::string("P5 1 1 65535\n") + std::string("\x80\x00", 2)));
  EXPECT_EQ(wide.values[0], 32768.0 / 65535.0);
  const Image colour = read_image(write("d.ppm", "P6 1 1 255 \xff\x33\x66"));
  EXPECT_EQ(colour.channels, 3);
  EXPECT_EQ(colour.values, (std::vector<double>{1.0, 0.2, 0.4}));
  EXPECT_NEAR(grey(colour).values[0], 1.6 / 3.0, 1e-15);
}

TEST_F(ImageFiles, BrokenAnymapsAreRefused) {
  const auto read = [&](const std::string& bytes) {
    return [this, bytes] { read_image(write("broken.pgm", bytes)); };
  };
  expect_refused(read("P5 3 2 4\nabc"), "ends after 3 bytes of pixels; 6 are needed");
  expect_refused(read("P2 3 2 4 0 4 2 1"), "has no value");
  expect_refused(read("P2 1 1 4 7"), "has the value 7");
  expect_refused(read("P5 0 1 4 7"), "no pixels");
  expect_refused(read("P5 99999999999 1 4 7"), "width");
  expect_refused(read("P5 65536 65536 255 "), "65536 x 65536 pixels; 2^28");
  expect_refused(read("P5 16384 16384 255 "), "ends after 0 bytes of pixels; 268435456 are needed");
  expect_refused(read("P3 16384 16384 255 1 2 3"), "no value for each of 805306368");
  expect_refused(read("GIF89a"), "no portable anymap");
}

/// 3 x 2 pixels; the lower left one at (0, 0), the upper right one at (1, 1).
TEST_F(ImageFiles, PicturesAreFunctionsOfThePlace) {
  write("a.pgm", "P2 3 2 10\n6 7 10\n0 4 2\n");
  const SpatialFunction f = function_of("a.pgm");
  EXPECT_DOUBLE_EQ(f({0.0, 0.0, 0.0}), 0.0);
  EXPECT_DOUBLE_EQ(f({1.0, 0.0, 0.0}), 0.2);
  EXPECT_DOUBLE_EQ(f({1.0, 1.0, 0.0}), 1.0);
  EXPECT_DOUBLE_EQ(f({0.25, 0.0, 0.0}), 0.2);
  EXPECT_DOUBLE_EQ(f({0.25, 0.5, 0.0}), 0.5 * (0.2 + 0.65));
  if (png_is_supported()) {
    write("a.PNG", png_bytes(3, 2, 8, PngKind::grey, "\x99\xb2\xff\x00\x66\x33"s));
    EXPECT_NEAR(function_of("a.PNG")({0.25, 0.5, 0.0}), f({0.25, 0.5, 0.0}), 2e-3);
  }
}

TEST_F(ImageFiles, DatasetsAndFormulasAreFunctionsOfThePlace) {
  {
    auto file = Hdf5File::create(folder_.file("t.h5"));  // 1 + x + 10 y on 2 x 3 values (rows y)
    file.array("/values", std::vector<double>{1.0, 1.5, 2.0, 11.0, 11.5, 12.0}, {2, 3});
    file.close();
  }
  const SpatialFunction data = function_of("t.h5:/values"), text = function_of("1 + x + 10*y");
  for (const double x : {0.0, 0.3, 0.5, 1.0})
    for (const double y : {0.0, 0.7, 1.0}) EXPECT_NEAR(data({x, y, 0.0}), text({x, y, 0.0}), 1e-14);
  expect_refused([&] { function_of("t.h5:/values", 3); }, "needed are 3");
  expect_refused([&] { function_of("t.h5:/none"); }, "none");
  expect_refused([&] { function_of("u.h5:/values"); }, "u.h5");
}

TEST_F(ImageFiles, FaultsOfTextsAreFoundWithoutReading) {
  EXPECT_EQ(fault_of_spatial_function("photo.png", 2), "");
  EXPECT_EQ(fault_of_spatial_function("photo.h5:/a", 3), "");
  EXPECT_EQ(fault_of_spatial_function("x + y", 1), "");
  EXPECT_NE(fault_of_spatial_function("photo.png", 3).find("picture"), std::string::npos);
  EXPECT_NE(fault_of_spatial_function("photo.jpg", 2).find("FILE.png"), std::string::npos);
  expect_refused([&] { function_of("photo.png", 1); }, "1 axis");
}

TEST_F(ImageFiles, ValuesThatAreNotFiniteAreRefused) {
  const Box box{{1, 0, 0}, {4, 2, 1}};
  const auto place = [](int axis, Index i) { return axis == 0 ? 0.25 * i : 10.0 * i; };
  const auto values = values_at_places(Communicator::self(), box, 2, place,
                                       [&] { return function_of("x + y + z"); }, "the test");
  EXPECT_EQ(values, (std::vector<double>{0.25, 0.5, 0.75, 10.25, 10.5, 10.75}));
  expect_refused(
      [&] {
        values_at_places(Communicator::self(), box, 2, place, [&] { return function_of("1/(x-0.5)"); },
                         "the test");
      },
      "the test is not finite at (0.5, 0");
}

}  // namespace
