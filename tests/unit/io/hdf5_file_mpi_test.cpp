#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/grid_partition.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/state_files.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

/// Every rank holds a piece that begins and ends in the middle of rows and planes.
double worst_difference(const std::string& path, GlobalIndex total,
                        const std::vector<GlobalIndex>& shape) {
  const Communicator world = Communicator::world();
  const bool is_last = world.rank() + 1 == world.size();
  const GlobalIndex share = total / (world.size() + 1);
  const GlobalIndex mine = is_last ? total - share * (world.size() - 1) : share;
  const Vector v("test::v", Partition(world, mine));
  const auto host = Kokkos::create_mirror_view(v.view());
  for (Index i = 0; i < v.local_size(); ++i)
    host(i) = static_cast<double>(v.partition().first_row() + i);
  Kokkos::deep_copy(v.view(), host);

  Hdf5File out = Hdf5File::create(path, world);
  out.attribute("/", "schema", 1);
  out.text("/case/text", "text");
  out.column("/history/iteration", std::vector<std::int64_t>{0, 1});
  out.vector("/solution/x", v, shape);
  out.link("/solution/x", "/VTKHDF/CellData/x");
  out.close();
  world.barrier();

  double worst = 0.0;
  const Hdf5File in = Hdf5File::open(path);
  const std::vector<double> all = in.numbers("/VTKHDF/CellData/x");
  for (std::size_t i = 0; i < all.size(); ++i)
    worst = std::max(worst, std::abs(all[i] - static_cast<double>(i)));
  const Vector back = v.like("test::back");
  in.read_vector("/solution/x", back);
  const auto read = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), back.view());
  for (Index i = 0; i < v.local_size(); ++i) worst = std::max(worst, std::abs(read(i) - host(i)));
  world.barrier();
  if (world.rank() == 0) std::remove(path.c_str());
  return worst;
}

TEST(ParallelHdf5File, RanksWriteTheirRowsOfOneDataset) {
  if (!hdf5_is_parallel()) GTEST_SKIP() << "this HDF5 is serial";
  const std::string path = LIBSOLVE_BINARY_DIR "/tests/parallel_hdf5_test.h5";
  EXPECT_EQ(worst_difference(path, 5 * 7 * 11, {5, 7, 11}), 0.0);
  EXPECT_EQ(worst_difference(path, 17, {1, 1, 17}), 0.0);
  EXPECT_EQ(worst_difference(path, 100, {}), 0.0);
  EXPECT_EQ(worst_difference(path, 1, {1, 1, 1}), 0.0);
}

/// Boxes of a grid: each rank writes and reads its own.
TEST(ParallelHdf5File, RanksWriteTheirBoxesOfOneDataset) {
  if (!hdf5_is_parallel()) GTEST_SKIP() << "this HDF5 is serial";
  const std::string path = LIBSOLVE_BINARY_DIR "/tests/parallel_boxes_test.h5";
  const Communicator world = Communicator::world();
  Grid grid;
  grid.cells = {7, 6, 9};
  const GridPartition parts(grid, world);
  const Vector v("test::v", parts.partition());
  const auto host = Kokkos::create_mirror_view(v.view());
  const Box& box = parts.own();
  Index c = 0;
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      for (Index i = box.begin[0]; i < box.end[0]; ++i) host(c++) = i + 7 * (j + 6 * k);
  Kokkos::deep_copy(v.view(), host);
  Hdf5File out = Hdf5File::create(path, world);
  out.vector("/solution/x", v, grid, box);
  out.close();
  world.barrier();

  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.shape("/solution/x"), (std::vector<GlobalIndex>{9, 6, 7}));
  const std::vector<double> all = in.numbers("/solution/x");
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], static_cast<double>(i));
  const VectorView back("test::back", v.view().extent(0));
  in.read_box("/solution/x", grid, box, back);
  const auto read = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), back);
  for (Index i = 0; i < v.local_size(); ++i) ASSERT_EQ(read(i), host(i));
  grid.cells = {6, 7, 9};
  EXPECT_THROW(in.read_box("/solution/x", grid, box, back), ShapeError);
  EXPECT_THROW(in.read_box("/solution/x", grid, Box{}, back), ShapeError);
  world.barrier();
  if (world.rank() == 0) std::remove(path.c_str());
}

/// One rank that leaves early must not let the others wait.
TEST(StateFiles, AllRanksThrowWhereOneCannotWrite) {
  const Communicator world = Communicator::world();
  const libsolve::test::TemporaryFolder folder;  // of each rank
  StateFiles files(folder.path(), "state");
  const Vector x("test::x", Partition(world, 3)), y = x.like("test::y");
  fill(x, 1.0 + world.rank());
  files.store(0, x);
  files.load(0, y);
  EXPECT_EQ(norm_max(y), world.size());
  const std::string last = "state.1." + std::to_string(world.size() - 1) + ".h5";
  std::filesystem::create_directory(std::filesystem::path(folder.path()) / last);
  EXPECT_THROW(files.store(1, x), IoError);
}

}  // namespace
}  // namespace libsolve
