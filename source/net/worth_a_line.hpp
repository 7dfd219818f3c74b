// Repeated failures must not flood the log.
#pragma once

#include <bit>
#include <cstdint>

namespace causeway::net {

/// True for the 1st, 2nd, 4th, 8th … occurrence of an event, whose `count` includes this one. Logging only these shows
/// at once that it happens and later how often, and a million of them take twenty lines:
///
///     if (net::worth_a_line(++failures))
///         spdlog::warn("it failed ({} times so far)", failures);
constexpr bool worth_a_line(std::uint64_t count) noexcept { return std::has_single_bit(count); }

} // namespace causeway::net
