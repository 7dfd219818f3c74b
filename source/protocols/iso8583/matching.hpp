// Which message is the reply to which.
#pragma once

#include "protocols/iso8583/message.hpp"
#include "upstream/key.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

/// The fields that a reply must have in common with its request. They stand in keys, and keys are logged: so only
/// fields can be among them that may be shown. A value; 7 and 11 unless told otherwise.
///
/// Field 41 need not be one of them, because some replies come without it: 0810 of Postilion, and what a host says of a
/// request in which it could not find it. Where both messages have it, it is compared all the same, by
/// `are_of_one_terminal`, when the reply has come.
class key_fields {
public:
    /// A field, and how its values are made equally long: otherwise two keys could be equal whose values are not.
    struct field {
        unsigned number;
        std::size_t width;
        bool is_number; ///< filled up with zeros on the left, otherwise with spaces on the right

        friend bool operator==(const field&, const field&) = default;
    };

    key_fields()
        : key_fields("7,11")
    {
    }

    /// From numbers with commas in between: of 3, 7, 11, 37 and 41. Throws `std::invalid_argument` that says what is
    /// wrong: another field, one that is there twice, neither 11 nor 37, or more than fit into a key, which are 28
    /// characters.
    explicit key_fields(std::string_view list);

    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }

    friend bool operator==(const key_fields&, const key_fields&) = default;

private:
    std::vector<field> fields_;
};

/// Whether the bridge keeps `trace`, a field 11, for itself: its own 0800 messages have numbers from 999000 to 999999.
/// So their replies are told from those to the 0800 messages of clients, which must not have one of these.
bool is_own_trace(std::string_view trace) noexcept;

/// The key by which the reply to `request` will be known: three digits of its MTI, which are version, class and the
/// function that answers (0 → 1, 2 → 3), then the fields. Who began the exchange and whether it is a repeat, the MTI's
/// fourth digit, is left out: hosts differ in it. So 0200 and 0201 have one key, and the reply may be 0210 or 0211.
///
/// A problem when the message is none that asks for a reply, has not got all the fields, or is a client's 0800 with a
/// trace number of the bridge's own.
result<upstream::key> key_for(const message& request, const key_fields& fields);

/// The key of a message from the host. One that is no reply, or has not got all the fields, has one that no request
/// has. A negative acknowledgement (0290) counts as the reply to a request.
upstream::key key_of(const message& from_host, const key_fields& fields);

/// Whether `reply` can be for `request`: false when both have a field 41, and these differ.
bool are_of_one_terminal(const message& request, const message& reply) noexcept;

} // namespace causeway::iso8583
