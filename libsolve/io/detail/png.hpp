#pragma once

#include <libsolve/io/image.hpp>
#include <string>

namespace libsolve::detail {

/// A PNG file; see read_image().
Image read_png(const std::string& path);

}  // namespace libsolve::detail
