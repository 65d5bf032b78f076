#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/results_file.hpp>

namespace libsolve {

namespace {

std::string numbers(double a, double b, double c) {
  return format_number(a) + " " + format_number(b) + " " + format_number(c);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string extents(const Grid& g, Index extra) {
  return std::to_string(g.cells[2] + extra) + " " + std::to_string(g.cells[1] + extra) + " " +
         std::to_string(g.cells[0] + extra);
}

/// The grid by its corners, slowest axis first.
std::string geometry(const Grid& g) {
  const std::array<double, 3> spacing = storage_spacing(g);
  return "      <Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"" + extents(g, 1) +
         "\"/>\n"
         "      <Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n"
         "        <DataItem Dimensions=\"3\" Format=\"XML\">" +
         numbers(g.origin[2], g.origin[1], g.origin[0]) +
         "</DataItem>\n"
         "        <DataItem Dimensions=\"3\" Format=\"XML\">" +
         numbers(spacing[2], spacing[1], spacing[0]) +
         "</DataItem>\n"
         "      </Geometry>\n";
}

std::string attribute(const Field& field, const std::string& group, const std::string& file) {
  const std::string name = escaped(field.name);
  return "      <Attribute Name=\"" + name +
         "\" AttributeType=\"Scalar\" Center=\"Cell\">\n"
         "        <DataItem Dimensions=\"" +
         extents(*field.grid, 0) + "\" NumberType=\"Float\" Precision=\"8\" Format=\"HDF\">" +
         escaped(file) + ":" + group + "/" + name +
         "</DataItem>\n"
         "      </Attribute>\n";
}

}  // namespace

std::string xdmf_path(const std::string& results) {
  std::filesystem::path path(results);
  // Never the results file itself.
  return path.extension() == ".xdmf" ? results + ".xdmf" : path.replace_extension(".xdmf").string();
}

void write_xdmf(const std::string& results_path, const Results& results) {
  const std::string file = std::filesystem::path(results_path).filename().string();
  struct FieldsOfGrid {
    Grid grid;
    std::string attributes;
  };
  std::vector<FieldsOfGrid> grids;
  const auto add = [&](const std::vector<Field>& fields, const std::string& group) {
    for (const Field& f : fields) {
      if (!f.grid) continue;
      auto at = std::find_if(grids.begin(), grids.end(),
                             [&](const FieldsOfGrid& g) { return same_grid(g.grid, *f.grid); });
      if (at == grids.end()) at = grids.insert(at, FieldsOfGrid{*f.grid, ""});
      at->attributes += attribute(f, group, file);
    }
  };
  add(results.solution, "/solution");
  add(results.data, "/data");
  std::string text = "<?xml version=\"1.0\" ?>\n<Xdmf Version=\"2.0\">\n  <Domain>\n";
  for (std::size_t k = 0; k < grids.size(); ++k)
    text += "    <Grid Name=\"fields" + (k == 0 ? "" : "_" + std::to_string(k + 1)) +
            "\" GridType=\"Uniform\">\n" + geometry(grids[k].grid) + grids[k].attributes +
            "    </Grid>\n";
  text += "  </Domain>\n</Xdmf>\n";
  const std::string path = xdmf_path(results_path);
  const std::string temporary = path + ".tmp";
  std::ofstream stream(temporary);
  stream << text;
  stream.close();
  if (!stream || std::rename(temporary.c_str(), path.c_str()) != 0) {
    ::unlink(temporary.c_str());
    throw IoError("'" + path + "': cannot write this file");
  }
}

}  // namespace libsolve
