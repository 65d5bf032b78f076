#include "poisson_options.hpp"

namespace poisson {

using libsolve::Choices;
using libsolve::Range;
using libsolve::Value;

namespace {

/// One word for all sides, or an array of words.
void add_boundary(libsolve::Fields<PoissonOptions>& f) {
  f.add("boundary", &PoissonOptions::boundary,
        "walls: \"dirichlet\" or \"neumann\" for all sides, or an array of two words for each axis "
        "(low and high side of x, then y, then z)");
  auto& field = f.fields().back();
  field.info.type = "string or strings";
  field.info.default_value = "\"dirichlet\"";
  field.info.choices = {"dirichlet", "neumann"};
  field.set = [](PoissonOptions& o, const Value& v) -> std::string {
    std::vector<std::string> words;
    std::string problem;
    if (v.is_string()) {
      words = {v.as_string()};
    } else if (!libsolve::detail::convert(v, words, problem)) {
      return problem + "; one word, or an array of words, each \"dirichlet\" or \"neumann\"";
    }
    for (const std::string& w : words)
      if (w != "dirichlet" && w != "neumann") {
        const std::string near = libsolve::nearest_name(w, {"dirichlet", "neumann"});
        return "must be \"dirichlet\" or \"neumann\" on each side, is \"" + w + "\"" +
               (near.empty() ? "" : "; did you mean \"" + near + "\"?");
      }
    o.boundary = std::move(words);
    return {};
  };
  field.get = [](const PoissonOptions& o) {
    return o.boundary.size() == 1 ? Value(o.boundary[0]) : libsolve::detail::to_value(o.boundary);
  };
}

}  // namespace

void PoissonOptions::describe(libsolve::Fields<PoissonOptions>& f) {
  using O = PoissonOptions;
  f.add("size", &O::size, Range::at_least(1), "cells along x, y and z; one to three entries");
  f.add("length", &O::length, Range::above(0.0),
        "lengths of the box; one for all axes, or one for each");
  f.add("coefficient", &O::coefficient,
        Choices{{"constant", "blocks", "smooth", "layers", "random", "file"}},
        "k: constant; 10^(decades u), u uniform on [0, 1), for each block, layer along the last "
        "axis, or cell; a smooth function; or a dataset of a file");
  f.add("value", &O::value, Range::above(0.0), "k where it is constant, a factor elsewhere");
  f.add("blocks", &O::blocks, Range::at_least(1), "blocks (or layers) along each axis");
  f.add("decades", &O::decades, Range::closed(0.0, 30.0),
        "orders of magnitude between the smallest and the largest coefficient");
  f.add("anisotropy", &O::anisotropy, Range::above(0.0),
        "factors on k along each axis; one for all axes, or one for each");
  f.add("coefficient_file", &O::coefficient_file, "HDF5 file with k, for coefficient = \"file\"")
      .file();
  f.add("coefficient_dataset", &O::coefficient_dataset,
        "its dataset, of shape [nz, ny, nx], [ny, nx] or [nx]");
  add_boundary(f);
  f.add("centering", &O::centering, Choices{{"cell", "vertex"}},
        "unknowns at cell centres, walls half a cell away; or at vertices, Dirichlet walls a whole "
        "spacing away (the textbook matrix with a constant diagonal)");
  f.add("reaction", &O::reaction, Range::at_least(0.0), "s in -div(k grad u) + s u = f");
  f.add("mask", &O::mask, Choices{{"none", "spheres", "boxes", "channels", "file"}},
        "solid cells: none, random spheres, random boxes, thick boxes pierced by channels one or "
        "two cells wide, or a dataset of a file (solid where it is not 0)");
  f.add("mask_fraction", &O::mask_fraction, Range::closed(0.0, 0.9),
        "volume that random solids cover, about");
  f.add("mask_boundary", &O::mask_boundary, Choices{{"dirichlet", "neumann"}},
        "u = 0 on the surface of solids, or no flux through it");
  f.add("mask_file", &O::mask_file, "HDF5 file with the mask, for mask = \"file\"").file();
  f.add("mask_dataset", &O::mask_dataset, "its dataset, of the shape of the grid");
  f.add("right_hand_side", &O::right_hand_side,
        Choices{{"random", "normal", "ones", "manufactured", "file"}},
        "f: uniform on [-1, 1) or standard normal for each cell; 1; what a known smooth solution "
        "needs (stored for the error); or a dataset of a file");
  f.add("right_hand_side_file", &O::right_hand_side_file,
        "HDF5 file with f, for right_hand_side = \"file\"")
      .file();
  f.add("right_hand_side_dataset", &O::right_hand_side_dataset,
        "its dataset, of the shape of the grid");
  f.add("initial_guess", &O::initial_guess, Choices{{"zero", "random", "ones"}},
        "where the iteration starts; random is uniform on [-1, 1)");
  f.add("storage", &O::storage, Choices{{"matrix-free", "csr"}},
        "the stencil itself, or the same operator assembled in compressed rows");
}

void PoissonOptions::check(const PoissonOptions& o, const std::string& prefix,
                           const libsolve::SourceLocation& where, libsolve::Diagnostics& problems) {
  const auto add = [&](const char* key, const std::string& text) {
    problems.add(where, prefix + key, text);
  };
  const size_t d = o.size.size();
  if (d < 1 || d > 3) {
    add("size", "needs one to three entries, has " + std::to_string(d));
    return;
  }
  const auto one_or_each = [&](const char* key, size_t n) {
    if (n != 1 && n != d)
      add(key, "needs one entry or " + std::to_string(d) + " (one for each entry of 'size'), has " +
                   std::to_string(n));
  };
  one_or_each("length", o.length.size());
  one_or_each("anisotropy", o.anisotropy.size());
  if (o.boundary.size() != 1 && o.boundary.size() != 2 * d)
    add("boundary", "needs one word or " + std::to_string(2 * d) +
                        " (two for each entry of 'size'), has " +
                        std::to_string(o.boundary.size()));
  double cells = 1.0;
  for (const int n : o.size) cells *= n;
  if (cells > 2147483647.0)
    add("size", "a grid of " + libsolve::format_number(cells) +
                    " cells is beyond the 2147483647 that one rank can hold");
  const auto file_of = [&](const char* key, const std::string& word, const std::string& file,
                           const char* file_key) {
    if (word == "file" && file.empty())
      add(file_key, std::string("is required where ") + key + " = \"file\"");
    if (word != "file" && !file.empty())
      add(file_key, std::string("is given, but ") + key + " = \"" + word +
                        "\" reads no file; set it to \"file\" or remove this");
  };
  file_of("coefficient", o.coefficient, o.coefficient_file, "coefficient_file");
  file_of("mask", o.mask, o.mask_file, "mask_file");
  file_of("right_hand_side", o.right_hand_side, o.right_hand_side_file, "right_hand_side_file");
  if (o.right_hand_side == "manufactured") {
    if (o.coefficient != "constant" && o.coefficient != "smooth")
      add("right_hand_side",
          "\"manufactured\" needs coefficient = \"constant\" or \"smooth\", is \"" + o.coefficient +
              "\"");
    if (o.mask != "none")
      add("right_hand_side", "\"manufactured\" needs mask = \"none\", is \"" + o.mask + "\"");
  }
}

bool PoissonOptions::is_dirichlet(int axis, int s) const {
  const std::string& word =
      boundary.size() == 1 ? boundary[0] : boundary[static_cast<size_t>(2 * axis + s)];
  return word == "dirichlet";
}

}  // namespace poisson
