// An ISO 8583 message as people read it: numbers and text. A dialect defines its bytes.
#pragma once

#include <boost/system/result.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

/// A data element: text, or parts that are elements themselves (127.2). Binary data is also text, in upper-case
/// hexadecimal digits.
struct element {
    unsigned number = 0;
    std::string text = {};           ///< empty when it has parts
    std::vector<element> parts = {}; ///< in the order of their numbers, each once

    friend bool operator==(const element&, const element&) = default;
};

/// A message, without its bitmaps: they follow from the numbers.
struct message {
    std::string mti;               ///< the message type indicator: four digits
    std::vector<element> elements; ///< from 2 to 128, in the order of their numbers, each once

    friend bool operator==(const message&, const message&) = default;
};

/// Whether `text` can be a message type indicator: four digits.
bool is_mti(std::string_view text) noexcept;

/// The text of the element with this number; null when there is none, or it has parts. Valid as long as `message`
/// is not changed.
const std::string* text_of(const message& message, unsigned number) noexcept;

/// Whether there is an element with this number and text.
bool has_text(const message& message, unsigned number, std::string_view text) noexcept;

/// Sets the element with this number to this text, replacing the one that `message` may have.
void set_text(message& message, unsigned number, std::string_view text);

/// A copy of `message` with its MTI and only those elements whose numbers are in `numbers`.
message only(const message& message, std::span<const unsigned> numbers);

/// What is wrong with a message.
struct problem {
    std::string field; ///< the element in question, such as `127.2`, or `mti`; empty when it is no particular one
    std::string what;  ///< in words that say what would be valid, without any content of the element
};

/// `127.2: what`, or only `what`.
std::string in_words(const problem& problem);

/// `inner`, located in the element `number`: `2` in 127 becomes `127.2`.
problem in_element(unsigned number, problem inner);

/// A value, or the problem because of which there is none.
template <class Value>
using result = boost::system::result<Value, problem>;

/// For `result::value`. Throws `std::invalid_argument` with field and words.
[[noreturn]] void throw_exception_from_error(const problem& problem, const boost::source_location& where);

} // namespace causeway::iso8583
