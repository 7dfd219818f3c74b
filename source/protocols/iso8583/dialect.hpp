// What the bytes of a message are: for each element its type, its length and its encodings. Dialects are JSON files in
// the vocabulary of moov's specifications.
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
/// A message that was packed is the same when it is unpacked, except for what a dialect file itself asks for:
///
/// - An element with padding may be given shorter than it is. Zeros on the left are part of a number and are there
///   when it is unpacked: an amount always has all its digits. Other padding is not, nor are characters of the text
///   that look like it.
/// - Lower-case hexadecimal digits become upper-case ones.
///
/// Both dialects that come with the program have no padding, so an element of fixed length must be given with all its
/// characters, and what stands in a message is what stands on the wire.
class dialect {
public:
    /// What is wrong with a specification, and in which line.
    class error : public std::runtime_error {
        using std::runtime_error::runtime_error;
    };

    /// Reads a specification. `name` stands for it in errors. Throws `error`: `NAME:LINE: what is wrong`.
    static dialect parse(std::string_view specification, std::string_view name);

    /// One that comes with the program: `iso8583-1987-ascii` or `postilion`. Throws `error` when there is no such one,
    /// with the names of those that there are.
    static dialect built_in(std::string_view name);

    /// The bytes of a message, without a frame. A problem when it has an element that the dialect does not know, or one
    /// that is too long or has characters that it must not have.
    result<std::string> pack(const message& message) const;

    /// The message that `bytes`, all of them, are. Text may have any characters there, as ISO 8859-1; numbers have only
    /// digits.
    result<message> unpack(std::string_view bytes) const;

private:
    explicit dialect(std::shared_ptr<const specification> specification);

    std::shared_ptr<const specification> specification_;
};

} // namespace causeway::iso8583
