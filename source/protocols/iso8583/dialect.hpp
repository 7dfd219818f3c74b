// How a message is written as bytes: for each element its type, its length and its encodings. Dialects are JSON files
// in the vocabulary of moov's specifications.
#pragma once

#include "protocols/iso8583/message.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace causeway::iso8583 {

struct specification;

/// A dialect. Immutable, and cheap to copy; any thread may use it.
///
/// A message survives packing and unpacking unchanged, except where a dialect file itself asks for a change:
///
/// - An element with padding may be given shorter than its length. Zeros on the left are part of a number and are
///   present after unpacking: an amount always has all its digits. Other padding is removed, and so are characters of
///   the text that look like it.
/// - Lower-case hexadecimal digits become upper-case ones.
///
/// The built-in dialects have no padding, so an element of fixed length must be given in full length, and a message has
/// the same characters as the wire.
class dialect {
public:
    /// An error in a specification, with its line.
    class error : public std::runtime_error {
        using std::runtime_error::runtime_error;
    };

    /// Reads a specification, which errors call `name`. Throws `error`: `NAME:LINE: what is wrong`.
    static dialect parse(std::string_view specification, std::string_view name);

    /// A built-in dialect: `iso8583-1987-ascii` or `postilion`. Throws `error` for any other name, with a list of the
    /// built-in names.
    static dialect built_in(std::string_view name);

    /// The bytes of a message, without a frame. A problem when it has an element that the dialect does not know, or one
    /// that is too long or has invalid characters.
    result<std::string> pack(const message& message) const;

    /// The message that all of `bytes` represent. Text may have any characters, as ISO 8859-1; numbers have only
    /// digits.
    result<message> unpack(std::string_view bytes) const;

private:
    explicit dialect(std::shared_ptr<const specification> specification);

    std::shared_ptr<const specification> specification_;
};

} // namespace causeway::iso8583
