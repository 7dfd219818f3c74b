// A protocol as unlike the codes as possible: each message begins with its length and a number, a number belongs to one
// request, and no message may be written twice.
#pragma once

#include "upstream/protocol.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace causeway::test::numbered {

/// Numbers that no question has: for what the codec itself sends, and for what the peer wants answered.
constexpr std::uint32_t own = 0;
constexpr std::uint32_t echo = 0xffff'ffff;

/// A message on the wire, in either direction: four bytes of length (of what follows), four of `number`, and `text`;
/// both numbers big-endian.
std::string message(std::uint32_t number, std::string_view text);

upstream::question question_for(std::uint32_t number, std::string_view text);

/// With or without a message that is sent, and must be answered, before anything else.
enum class greeting { none, first };

upstream::protocol protocol(greeting greeting = greeting::none);

} // namespace causeway::test::numbered
