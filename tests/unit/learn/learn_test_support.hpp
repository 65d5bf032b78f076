#pragma once

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/learn/plan.hpp>
#include <libsolve/learn/training_pass.hpp>
#include <vector>

namespace libsolve::test {

using namespace libsolve::learn;  // NOLINT

inline Layer convolution(int input, int channels, int level, int width, int skip = -1,
                         bool bias = false, bool relu = false) {
  Layer l;
  l.input = input;
  l.channels = channels;
  l.level = level;
  l.width = width;
  l.skip = skip;
  l.has_bias = bias;
  l.has_relu = relu;
  return l;
}
inline Layer pooling(int input, int channels, int level) {
  Layer l;
  l.kind = Layer::Kind::pool;
  l.input = input;
  l.channels = channels;
  l.level = level;
  return l;
}
inline Layer upsampling(int input, int channels, int level, int skip) {
  Layer l = pooling(input, channels, level);
  l.kind = Layer::Kind::upsample;
  l.skip = skip;
  return l;
}

/// A small network with every kind of layer: channels 1 -> c -> c, a level below, back, out.
inline Plan small_network(int dimension, int channels, bool bias, bool relu) {
  Plan p;
  p.dimension = dimension;
  const int a = p.add(convolution(0, channels, 0, 3, -1, bias, false));
  const int b = p.add(convolution(a, channels, 0, 3, a, bias, relu));
  const int down = p.add(pooling(b, channels, 1));
  const int c = p.add(convolution(down, channels, 1, 3, down, bias, relu));
  const int up = p.add(upsampling(c, channels, 0, b));
  const int d = p.add(convolution(up, channels, 0, 3, -1, bias, relu));
  p.add(convolution(d, 1, 0, 1, -1, bias, false));
  for (size_t l = 0; l < p.layers.size(); ++l) p.layers[l].name = "layer" + std::to_string(l);
  return p;
}

template <class T>
std::vector<T> random_values(std::size_t n, const char* purpose, double size = 1.0) {
  const RandomStream stream(5, purpose);
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<T>(size * stream.normal(i));
  return v;
}

/// The cells of a padded tensor of one or more channels, and back.
template <class T>
std::vector<T> cells_of(const PaddedGrid& g, const T* x, int channels = 1) {
  std::vector<T> out;
  for (int c = 0; c < channels; ++c)
    for (int k = 0; k < g.cells[2]; ++k)
      for (int j = 0; j < g.cells[1]; ++j)
        for (int i = 0; i < g.cells[0]; ++i) out.push_back(x[c * g.channel() + g.at(i, j, k)]);
  return out;
}
template <class T>
void put_cells(const PaddedGrid& g, const std::vector<T>& values, T* x, int channels = 1) {
  std::size_t n = 0;
  for (int c = 0; c < channels; ++c)
    for (int k = 0; k < g.cells[2]; ++k)
      for (int j = 0; j < g.cells[1]; ++j)
        for (int i = 0; i < g.cells[0]; ++i) x[c * g.channel() + g.at(i, j, k)] = values[n++];
}

}  // namespace libsolve::test
