// A payment host for tests: the messages that it reads and writes, and its records.
#pragma once

#include "faulty_backend.hpp"
#include "kit.hpp"
#include "protocols/iso8583/message.hpp"
#include "protocols/iso8583/protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::test {

/// The settings of the tests' bridge and host: the dialect `postilion`, `binary2`, with a sign-on. Late replies may
/// arrive for as long as the tests' host takes at most.
iso8583::settings payments();

/// A purchase as JSON. The amount is unique; `trace` need not be.
std::string purchase(std::uint64_t amount, unsigned trace);

/// The amount of a purchase, or of the reply to one; 0 when there is none.
std::uint64_t amount_of(const iso8583::message& message);

/// What the host knows of each purchase, by its amount.
class payment_books {
public:
    explicit payment_books(std::size_t purchases)
        : seen_(purchases + 1)
        , answered_(purchases + 1)
    {
    }

    /// The host's language. Everything that it reads and answers is recorded.
    backend_language language();

    /// How often the complete purchase has arrived, and whether a reply to it was made.
    unsigned seen(std::uint64_t amount) const { return seen_.at(amount); }
    bool answered(std::uint64_t amount) const { return answered_.at(amount); }

private:
    awaitable<std::string> read(peer& peer);
    std::string answer(const std::string& question);

    std::vector<std::uint8_t> seen_;
    std::vector<bool> answered_;
};

} // namespace causeway::test
