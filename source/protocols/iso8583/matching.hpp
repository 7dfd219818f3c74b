// Which reply belongs to which request.
#pragma once

#include "protocols/iso8583/message.hpp"
#include "upstream/key.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace causeway::iso8583 {

/// The fields that a reply must have in common with its request. They are part of keys, and keys are logged: so only
/// fields that may be shown can be among them. A value; 7 and 11 by default.
///
/// Field 41 need not be one of them, because some replies come without it: Postilion's 0810, and a host's reply to a
/// request that it could not read. If both messages have it, it is compared nevertheless, by `are_of_one_terminal`,
/// when the reply has arrived.
class key_fields {
public:
    /// A field, and how its values are padded to equal length: otherwise two keys could be equal although their values
    /// differ.
    struct field {
        unsigned number;
        std::size_t width;
        bool is_number; ///< padded with zeros on the left, otherwise with spaces on the right

        friend bool operator==(const field&, const field&) = default;
    };

    key_fields()
        : key_fields("7,11")
    {
    }

    /// From numbers separated by commas: some of 3, 7, 11, 37 and 41. Throws `std::invalid_argument` that says what is
    /// wrong: another field, a repeated field, neither 11 nor 37, or more than the 28 characters that fit into a key.
    explicit key_fields(std::string_view list);

    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }

    friend bool operator==(const key_fields&, const key_fields&) = default;

private:
    std::vector<field> fields_;
};

/// Whether `trace`, a field 11, is reserved for the bridge: its own 0800 messages have numbers from 999000 to 999999.
/// This distinguishes their replies from those to the 0800 messages of clients, which must not use these numbers.
bool is_own_trace(std::string_view trace) noexcept;

/// The key by which the reply to `request` will be recognized: three digits of its MTI, which are version, class and
/// the function of the reply (0 → 1, 2 → 3), then the fields. The MTI's fourth digit, which says who began the exchange
/// and whether it is a repeat, is left out: hosts differ in it. So 0200 and 0201 have one key, and the reply may be
/// 0210 or 0211.
///
/// A problem when the message asks for no reply, lacks a field, or is a client's 0800 with a trace number reserved for
/// the bridge.
result<upstream::key> key_for(const message& request, const key_fields& fields);

/// The key of a message from the host. One that is not a reply, or lacks a field, has a key that no request has. A
/// negative acknowledgement (0290) counts as the reply to a request.
upstream::key key_of(const message& from_host, const key_fields& fields);

/// Whether `reply` can belong to `request`: false when both have a field 41, and these differ.
bool are_of_one_terminal(const message& request, const message& reply) noexcept;

} // namespace causeway::iso8583
