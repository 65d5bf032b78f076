#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>
#include <libsolve/io/hdf5_file.hpp>
#include <tests/support/temporary_folder.hpp>

namespace libsolve {
namespace {

using test::TemporaryFolder;

Vector counting_vector(Index n) {
  const Vector v("test::counting", Partition(n));
  const auto host = Kokkos::create_mirror_view(v.view());
  for (Index i = 0; i < n; ++i) host(i) = 0.5 * i;
  Kokkos::deep_copy(v.view(), host);
  return v;
}

TEST(Hdf5File, WhatIsWrittenReadsBack) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.h5");
  Hdf5File out = Hdf5File::create(path);
  out.attribute("/", "schema", 1);
  out.attribute("/", "who", "me \xc3\xa9");
  out.attribute("/", "empty", "");
  out.attribute("/", "ratio", 0.25);
  out.attribute("/", "origin", std::vector<double>{1.0, 2.0});
  out.text("/case/text", "line 1\nline 2\n");
  out.texts("/case/overrides", {"a=1", "longer=22"});
  out.texts("/case/none", {});
  out.scalar("/metrics/td", 91.5);
  out.column("/history/iteration", std::vector<std::int64_t>{0, 1, 2});
  out.vector("/solution/x", counting_vector(24), {2, 3, 4});
  out.vector("/solution/index", counting_vector(3), {}, true);
  out.link("/solution/x", "/VTKHDF/CellData/x");
  out.close();

  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.number_attribute("/", "schema"), 1.0);
  EXPECT_EQ(in.numbers("/solution/index"), (std::vector<double>{0.0, 0.0, 1.0}));  // 0, 1/2, 1 as integers
  EXPECT_EQ(in.text_attribute("/", "who"), "me \xc3\xa9");
  EXPECT_EQ(in.text_attribute("/", "empty"), "");
  EXPECT_EQ(in.attribute_to_text("/", "origin"), "1 2");
  EXPECT_EQ(in.text("/case/text"), "line 1\nline 2\n");
  EXPECT_EQ(in.texts("/case/overrides"), (std::vector<std::string>{"a=1", "longer=22"}));
  EXPECT_TRUE(in.texts("/case/none").empty());
  EXPECT_EQ(in.numbers("/metrics/td"), std::vector<double>{91.5});
  EXPECT_EQ(in.numbers("/history/iteration"), (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(in.shape("/VTKHDF/CellData/x"), (std::vector<GlobalIndex>{2, 3, 4}));
  EXPECT_EQ(in.numbers("/VTKHDF/CellData/x")[23], 11.5);
  EXPECT_EQ(in.members("/"),
            (std::vector<std::string>{"VTKHDF", "case", "history", "metrics", "solution"}));
  EXPECT_FALSE(in.exists("/solution/y"));
  EXPECT_FALSE(in.exists("/nothing/y"));
  const Vector back("test::back", Partition(24));
  in.read_vector("/solution/x", back);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), back.view());
  EXPECT_EQ(host(7), 3.5);
}

/// Both names lead to one object, so the data are stored once.
/// As h5py has it: a path without a leading slash starts at the root.
TEST(Hdf5File, PathsMayLeaveOutTheFirstSlash) {
  const TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder.file("a.h5"));
  out.make_group("group");
  out.scalar("number", 2.5);
  out.vector("group/sub/x", counting_vector(3));
  out.link("number", "again");
  out.close();
  const Hdf5File in = Hdf5File::open(folder.file("a.h5"));
  EXPECT_EQ(in.numbers("/number"), std::vector<double>{2.5});
  EXPECT_EQ(in.numbers("/again"), std::vector<double>{2.5});
  EXPECT_EQ(in.shape("/group/sub/x"), std::vector<GlobalIndex>{3});
}

TEST(Hdf5File, LinksStoreNothingTwice) {
  const TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder.file("a.h5"));
  out.vector("/solution/x", counting_vector(100000));
  out.link("/solution/x", "/VTKHDF/CellData/x");
  out.close();
  EXPECT_LT(std::filesystem::file_size(folder.file("a.h5")), 900000u);
  const hid_t file = H5Fopen(folder.file("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  H5O_info_t a, b;
  H5Oget_info_by_name(file, "/solution/x", &a, H5P_DEFAULT);
  H5Oget_info_by_name(file, "/VTKHDF/CellData/x", &b, H5P_DEFAULT);
  EXPECT_EQ(a.addr, b.addr);
  EXPECT_EQ(a.rc, 2u);
  H5Fclose(file);
}

/// Columns can be appended to by whoever opens the file later.
TEST(Hdf5File, ColumnsAreExtendible) {
  const TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder.file("a.h5"));
  out.column("/history/residual_norm", std::vector<double>{1.0, 0.1});
  out.close();
  const hid_t file = H5Fopen(folder.file("a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(file, "/history/residual_norm", H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  hsize_t now = 0, limit = 0;
  ASSERT_EQ(H5Sget_simple_extent_dims(space, &now, &limit), 1);
  EXPECT_EQ(now, 2u);
  EXPECT_EQ(limit, H5S_UNLIMITED);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
}

TEST(Hdf5File, ErrorsNameFileAndReason) {
  const TemporaryFolder folder;
  const auto message = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const IoError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_NE(message([&] { Hdf5File::open(folder.file("no.h5")); }).find("No such file"),
            std::string::npos);
  EXPECT_NE(message([&] { Hdf5File::open(LIBSOLVE_SOURCE_DIR "/LICENSE"); }).find("no HDF5 file"),
            std::string::npos);
  const std::string missing = message([&] { Hdf5File::create(folder.file("no/a.h5")); });
  EXPECT_NE(missing.find("no/a.h5"), std::string::npos);
  EXPECT_NE(missing.find("No such file"), std::string::npos) << missing;
}

TEST(Hdf5File, WrongShapesAreRefused) {
  const TemporaryFolder folder;
  Hdf5File out = Hdf5File::create(folder.file("a.h5"));
  EXPECT_THROW(out.vector("/x", counting_vector(5), {2, 3}), ShapeError);
}

}  // namespace
}  // namespace libsolve
