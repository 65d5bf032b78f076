#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/results_file.hpp>
#include <sstream>
#include <tests/support/temporary_folder.hpp>

namespace {

using namespace libsolve;

Field field_of(const char* name, int nx, int ny, double origin = 0.0) {
  Grid grid;
  grid.dimension = 2;
  grid.cells = {nx, ny, 1};
  grid.spacing = {0.5, 0.25, 1.0};
  grid.origin = {origin, 0.0, 0.0};
  Field f;
  f.name = name;
  f.values = Vector("test::field", Partition(GlobalIndex{nx} * ny));
  f.grid = grid;
  return f;
}

/// The text of each uniform grid that is written.
std::vector<std::string> grids_of(const Results& results) {
  const libsolve::test::TemporaryFolder folder;
  write_xdmf(folder.path() + "/run.h5", results);
  std::ifstream file(folder.path() + "/run.xdmf");
  std::stringstream text;
  text << file.rdbuf();
  std::vector<std::string> grids;
  const std::string all = text.str(), begin = "<Grid ", end = "</Grid>";
  for (std::size_t at = all.find(begin); at != std::string::npos; at = all.find(begin, at + 1))
    grids.push_back(all.substr(at, all.find(end, at) - at));
  return grids;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// States at N + 1 times and controls of N intervals: every field is in the block of its grid,
/// once.
TEST(Xdmf, FieldsOfAllGridsAreListed) {
  Results results;
  results.solution = {field_of("state", 4, 6), field_of("control", 4, 5),
                      field_of("adjoint", 4, 5)};
  results.solution.push_back(field_of("vector", 4, 6));
  results.solution.back().grid.reset();
  results.data = {field_of("target", 4, 6), field_of("force", 4, 6, 0.125)};
  const std::vector<std::string> grids = grids_of(results);
  ASSERT_EQ(grids.size(), 3U);
  EXPECT_TRUE(has(grids[0], "Name=\"fields\"") && has(grids[0], "Dimensions=\"2 7 5\""));
  EXPECT_TRUE(has(grids[1], "Name=\"fields_2\"") && has(grids[1], "Dimensions=\"2 6 5\""));
  EXPECT_TRUE(has(grids[2], "Name=\"fields_3\"") && has(grids[2], ">0 0 0.125<"));
  const std::vector<std::pair<std::string, std::size_t>> places = {{"/solution/state", 0},
                                                                   {"/data/target", 0},
                                                                   {"/solution/control", 1},
                                                                   {"/solution/adjoint", 1},
                                                                   {"/data/force", 2}};
  for (const auto& [path, place] : places)
    for (std::size_t k = 0; k < grids.size(); ++k)
      EXPECT_EQ(has(grids[k], "run.h5:" + path + "<"), k == place) << path << " in " << k;
  for (const std::string& grid : grids) EXPECT_FALSE(has(grid, "vector"));
}

TEST(Xdmf, NothingOnAGridIsNoGrid) {
  EXPECT_TRUE(grids_of({}).empty());
}

}  // namespace
