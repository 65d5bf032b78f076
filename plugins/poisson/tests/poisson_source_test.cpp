#include "../poisson_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/temporary_folder.hpp>

#include "../geometry.hpp"
#include "../stencil.hpp"

namespace {

using libsolve::Context;
using libsolve::Index;
using libsolve::LinearSystem;
using libsolve::StencilOperator;
using libsolve::Vector;
using libsolve::test::to_host;
using poisson::PoissonOptions;
using poisson::PoissonSource;

std::unique_ptr<LinearSystem> make(const PoissonOptions& options, std::uint64_t seed = 1,
                                   const std::string& folder = ".") {
  Context context;
  context.seed = seed;
  context.base_folder = folder;
  auto problem = PoissonSource(options, context).create();
  return std::unique_ptr<LinearSystem>(dynamic_cast<LinearSystem*>(problem.release()));
}

const StencilOperator& stencil(const LinearSystem& system) {
  return dynamic_cast<const StencilOperator&>(system.A());
}

const Vector& field(const LinearSystem& system, const std::string& name) {
  for (const auto& f : system.extra_data)
    if (f.name == name) return f.values;
  throw std::runtime_error("no field " + name);
}

std::vector<double> apply(const LinearSystem& system, const Vector& x) {
  const Vector y = x.like("y");
  system.A().apply(x, y);
  return to_host(y);
}

/// All that is wrong with a table of options, in one text.
std::string problems_of(const libsolve::Value& table) {
  libsolve::Diagnostics problems;
  libsolve::parse_options<PoissonOptions>(table, "problem.", "source 'poisson'", problems);
  std::string text;
  for (const auto& p : problems.problems()) text += libsolve::to_string(p) + "\n";
  return text;
}

libsolve::Value ints(std::vector<int> v) {
  return libsolve::detail::to_value(v);
}
libsolve::Value words(std::vector<std::string> v) {
  return libsolve::detail::to_value(v);
}

TEST(Poisson, ConstantCoefficientsGiveTheTextbookMatrices) {
  // Unit square, 4 x 4: h = 1/4, T = 16; walls at half a cell add 2 T, so the corner has
  // 2 T + 2 (2 T) = 6 T and the interior 4 T.
  PoissonOptions o;
  o.size = {4, 4};
  auto D = libsolve::test::to_dense(*stencil(*make(o)).assemble());
  EXPECT_DOUBLE_EQ(D[0][0], 96.0);
  EXPECT_DOUBLE_EQ(D[5][5], 64.0);
  EXPECT_DOUBLE_EQ(D[0][1], -16.0);
  EXPECT_DOUBLE_EQ(D[0][4], -16.0);
  // At vertices h = 1/5, T = 25, and the diagonal is 4 T everywhere.
  o.centering = "vertex";
  D = libsolve::test::to_dense(*stencil(*make(o)).assemble());
  for (size_t i = 0; i < 16; ++i) EXPECT_NEAR(D[i][i], 100.0, 1e-12);
  EXPECT_NEAR(D[0][1], -25.0, 1e-12);
}

TEST(Poisson, AnisotropyLengthAndReactionEnterTheStencil) {
  PoissonOptions o;
  o.size = {4, 5, 6};
  o.length = {2.0, 1.0, 3.0};
  o.anisotropy = {1.0, 10.0, 100.0};
  o.value = 3.0;
  o.reaction = 7.0;
  const auto c = stencil(*make(o)).constant();
  EXPECT_DOUBLE_EQ(c.coupling[0], 3.0 * 1.0 / 0.25);
  EXPECT_DOUBLE_EQ(c.coupling[1], 3.0 * 10.0 * 25.0);
  EXPECT_DOUBLE_EQ(c.coupling[2], 3.0 * 100.0 / 0.25);
  EXPECT_DOUBLE_EQ(c.shift, 7.0);
}

TEST(Poisson, ConstantAndVariableFormsAgree) {
  for (const char* centering : {"cell", "vertex"})
    for (const auto& boundary :
         {std::vector<std::string>{"dirichlet"},
          {"neumann"},
          {"dirichlet", "neumann", "neumann", "neumann", "neumann", "dirichlet"}}) {
      PoissonOptions o;
      o.size = {5, 6, 7};
      o.value = 2.0;
      o.anisotropy = {1.0, 2.0, 3.0};
      o.reaction = 0.5;
      o.boundary = boundary;
      o.centering = centering;
      const auto constant = make(o);
      o.coefficient = "blocks";
      o.decades = 0.0;
      const auto variable = make(o);
      EXPECT_TRUE(stencil(*constant).is_constant());
      EXPECT_FALSE(stencil(*variable).is_constant());
      EXPECT_LT(libsolve::test::max_difference(apply(*constant, constant->b()),
                                               apply(*variable, constant->b())),
                1e-11);
    }
}

TEST(Poisson, FacesAreHarmonicMeansOfTheCells) {
  PoissonOptions o;
  o.size = {9};
  o.coefficient = "random";
  o.decades = 3.0;
  const auto system = make(o);
  const auto k = to_host(field(*system, "coefficient"));
  const auto face = to_host(Vector(stencil(*system).variable().face[0], system->b().partition()));
  for (size_t c = 0; c < 8; ++c)
    EXPECT_NEAR(face[c], 81.0 * 2.0 / (1.0 / k[c] + 1.0 / k[c + 1]), 1e-10 * face[c]);
  EXPECT_EQ(face[8], 0.0);
}

TEST(Poisson, BlocksAreConstantAndSpanTheDecades) {
  PoissonOptions o;
  o.size = {20, 12};
  o.coefficient = "blocks";
  o.blocks = 8;
  const auto k = to_host(field(*make(o, 3), "coefficient"));
  for (int j = 0; j < 12; ++j)
    for (int i = 0; i < 20; ++i) {
      EXPECT_GE(k[i + 20 * j], 1.0);
      EXPECT_LT(k[i + 20 * j], 1e6);
      if (i > 0 && 8 * i / 20 == 8 * (i - 1) / 20) {
        EXPECT_EQ(k[i + 20 * j], k[i - 1 + 20 * j]);
      }
      if (j > 0 && 8 * j / 12 == 8 * (j - 1) / 12) {
        EXPECT_EQ(k[i + 20 * j], k[i + 20 * (j - 1)]);
      }
    }
  EXPECT_NE(k[0], k[19]);
}

TEST(Poisson, DataDependOnTheSeedAndOnNothingElse) {
  PoissonOptions o;
  o.size = {12, 11, 10};
  o.coefficient = "random";
  o.mask = "spheres";
  const auto a = make(o, 5);
  const auto b = make(o, 5);
  const auto c = make(o, 6);
  EXPECT_EQ(to_host(a->b()), to_host(b->b()));
  EXPECT_EQ(to_host(field(*a, "coefficient")), to_host(field(*b, "coefficient")));
  EXPECT_EQ(to_host(field(*a, "mask")), to_host(field(*b, "mask")));
  EXPECT_NE(to_host(a->b()), to_host(c->b()));
  // The entry of a cell is that of its index, whatever the grid or the loop over it.
  const libsolve::RandomStream stream(5, "poisson::right_hand_side");
  PoissonOptions plain;
  plain.size = {12, 11, 10};
  const auto rhs = to_host(make(plain, 5)->b());
  for (size_t i = 0; i < rhs.size(); ++i) EXPECT_EQ(rhs[i], stream.uniform(i, -1.0, 1.0));
}

TEST(Poisson, NeumannWallsLeaveConstantsInTheNullSpace) {
  for (const char* coefficient : {"constant", "blocks"}) {
    PoissonOptions o;
    o.size = {13, 9, 7};
    o.coefficient = coefficient;
    o.boundary = {"neumann"};
    const auto system = make(o);
    ASSERT_TRUE(system->null_space.has_value());
    const Vector one = system->x().like("one");
    libsolve::fill(one, 1.0);
    double largest = 0.0;
    const Vector d = one.like("d");
    system->A().diagonal(d);
    largest = libsolve::norm_max(d);
    for (const double y : apply(*system, one)) EXPECT_NEAR(y, 0.0, 1e-14 * largest);
    EXPECT_NEAR(libsolve::dot(one, system->b()), 0.0, 1e-11);
  }
  PoissonOptions o;
  o.size = {5, 5};
  o.boundary = {"neumann", "neumann", "neumann", "dirichlet"};
  EXPECT_FALSE(make(o)->null_space.has_value());
  o.boundary = {"neumann"};
  o.reaction = 1.0;
  EXPECT_FALSE(make(o)->null_space.has_value());
}

TEST(Poisson, SolidCellsAreRowsOfTheirOwn) {
  for (const char* mask : {"spheres", "boxes", "channels"})
    for (const char* boundary : {"dirichlet", "neumann"}) {
      PoissonOptions o;
      o.size = {30, 31, 32};
      o.mask = mask;
      o.mask_boundary = boundary;
      const auto system = make(o, 2);
      const auto solid = to_host(field(*system, "mask"));
      double share = 0.0;
      for (const double s : solid) share += s / static_cast<double>(solid.size());
      EXPECT_GT(share, 0.1) << mask;
      EXPECT_LT(share, 0.6) << mask;
      const Vector x = system->x().like("x");
      libsolve::copy(system->b(), x);
      const auto b = to_host(system->b());
      const auto y = apply(*system, x);
      for (size_t c = 0; c < solid.size(); ++c)
        if (solid[c] != 0.0) {
          EXPECT_EQ(b[c], 0.0);
          EXPECT_EQ(y[c], 0.0);
        }
      // What solid cells hold does not reach the others.
      const auto& v = stencil(*system).variable();
      for (int a = 0; a < 3; ++a) {
        const auto face = to_host(Vector(v.face[a], system->b().partition()));
        const size_t stride[3] = {1, 30, 930};
        for (size_t c = 0; c + stride[a] < face.size(); ++c)
          EXPECT_TRUE((solid[c] == 0.0 && solid[c + stride[a]] == 0.0) || face[c] == 0.0);
      }
      const auto e = to_host(Vector(v.excess, system->b().partition()));
      for (size_t c = 0; c < solid.size(); ++c) EXPECT_TRUE(solid[c] == 0.0 || e[c] > 0.0);
    }
}

TEST(Poisson, EveryPocketOfFluidIsAComponentOfTheNullSpace) {
  // A solid wall at i = 2 cuts the grid; one pocket of two cells and a lone cell lie behind it, and
  // the lone cell counts as solid:
  //   j = 2:  . . # .
  //   j = 1:  . . # #
  //   j = 0:  . . # . .   (5 cells in a row; the last column is solid above j = 0)
  const libsolve::test::TemporaryFolder folder;
  const std::string path = folder.path() + "/mask.h5";
  {
    auto file = libsolve::Hdf5File::create(path);
    const Vector mask =
        libsolve::test::to_vector({0, 0, 1, 0, 0, /**/ 0, 0, 1, 1, 1, /**/ 0, 0, 1, 0, 1});
    file.vector("/mask", mask, {3, 5});
    file.close();
  }
  PoissonOptions o;
  o.size = {5, 3};
  o.boundary = {"neumann"};
  o.mask = "file";
  o.mask_file = "mask.h5";
  o.mask_boundary = "neumann";
  const auto system = make(o, 1, folder.path());
  ASSERT_TRUE(system->null_space.has_value());
  EXPECT_EQ(system->null_space->num_components(), 2);
  const auto b = to_host(system->b());
  EXPECT_NEAR(b[0] + b[1] + b[5] + b[6] + b[10] + b[11], 0.0, 1e-14);
  EXPECT_NE(b[3], 0.0);
  EXPECT_NEAR(b[3] + b[4], 0.0, 1e-15);
  EXPECT_EQ(b[13], 0.0);
  EXPECT_EQ(to_host(field(*system, "mask"))[13], 1.0);
  const Vector d = system->x().like("d");
  system->A().diagonal(d);
  for (const double entry : to_host(d)) EXPECT_GT(entry, 0.0);
  // A Dirichlet wall on the right ends the freedom of the pocket.
  o.boundary = {"neumann", "dirichlet", "neumann", "neumann"};
  EXPECT_EQ(make(o, 1, folder.path())->null_space->num_components(), 1);
}

TEST(Poisson, AssembledStorageIsTheSameSystem) {
  PoissonOptions o;
  o.size = {7, 8, 9};
  o.coefficient = "blocks";
  o.mask = "boxes";
  const auto free = make(o);
  o.storage = "csr";
  const auto assembled = make(o);
  ASSERT_NE(dynamic_cast<const libsolve::CsrMatrix*>(&assembled->A()), nullptr);
  const auto y = apply(*free, free->b());
  double largest = 0.0;
  for (const double v : y) largest = std::max(largest, std::abs(v));
  EXPECT_LT(libsolve::test::max_difference(y, apply(*assembled, free->b())), 1e-14 * largest);
}

TEST(Poisson, FieldsComeFromFiles) {
  const libsolve::test::TemporaryFolder folder;
  std::vector<double> k = {1.0, 2.0, 4.0, 3.0, 5.0, 6.0};
  const auto write = [&](const std::vector<double>& values) {
    auto file = libsolve::Hdf5File::create(folder.path() + "/k.h5");
    file.vector("/coefficient", libsolve::test::to_vector(values), {2, 3});
    file.close();
  };
  write(k);
  PoissonOptions o;
  o.size = {3, 2};
  o.coefficient = "file";
  o.coefficient_file = "k.h5";
  EXPECT_EQ(to_host(field(*make(o, 1, folder.path()), "coefficient")), k);

  const auto message = [&](const PoissonOptions& options) -> std::string {
    try {
      make(options, 1, folder.path());
    } catch (const libsolve::Error& error) {
      return error.what();
    }
    return {};
  };
  PoissonOptions other = o;
  other.size = {2, 3};
  EXPECT_NE(message(other).find("has shape [2, 3], but the grid needs [3, 2]"), std::string::npos)
      << message(other);
  other = o;
  other.coefficient_file = "absent.h5";
  EXPECT_NE(message(other).find("absent.h5"), std::string::npos);
  EXPECT_THROW(make(other, 1, folder.path()), libsolve::IoError);
  other = o;
  other.coefficient_dataset = "kappa";
  EXPECT_NE(message(other).find("kappa"), std::string::npos);
  k[4] = -1.0;
  write(k);
  EXPECT_THROW(make(o, 1, folder.path()), libsolve::DataError);
  EXPECT_NE(message(o).find("cell (1, 1)"), std::string::npos) << message(o);
  k[2] = NAN;
  write(k);
  EXPECT_NE(message(o).find("cell (2, 0)"), std::string::npos) << message(o);
}

TEST(Poisson, RefusesOptionsThatCannotBe) {
  using libsolve::Value;
  Value t;
  t.set("size", ints({4, 0}));
  t.set("coefficient", "blocs");
  t.set("boundary", words({"dirichlet", "neuman"}));
  t.set("decades", -1.0);
  t.set("siez", 3);
  const std::string text = problems_of(t);
  EXPECT_NE(text.find("problem.size"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean \"blocks\""), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean \"neumann\""), std::string::npos) << text;
  EXPECT_NE(text.find("problem.decades"), std::string::npos) << text;
  EXPECT_NE(text.find("'size'"), std::string::npos) << text;

  Value shape;
  shape.set("size", ints({4, 4, 4, 4}));
  EXPECT_NE(problems_of(shape).find("one to three entries, has 4"), std::string::npos);
  Value large;
  large.set("size", ints({4000, 4000, 4000}));
  EXPECT_NE(problems_of(large).find("2147483647"), std::string::npos);
  Value walls;
  walls.set("size", ints({4, 4}));
  walls.set("boundary", words({"dirichlet", "neumann"}));
  EXPECT_NE(problems_of(walls).find("one word or 4"), std::string::npos) << problems_of(walls);
  Value file;
  file.set("coefficient", "file");
  EXPECT_NE(problems_of(file).find("problem.coefficient_file: is required"), std::string::npos);
  Value manufactured;
  manufactured.set("coefficient", "blocks");
  manufactured.set("right_hand_side", "manufactured");
  EXPECT_NE(problems_of(manufactured).find("\"smooth\""), std::string::npos);
  EXPECT_EQ(problems_of(Value()), "");
}

}  // namespace
