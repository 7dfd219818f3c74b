// Exercise 9.2: a codec for messages of a length, a number and a text.
#include "upstream/input_buffer.hpp"
#include "upstream/protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace causeway;

namespace {

// [codec]
// Two bytes say how many follow, the high one first; then four bytes of a number, which is the key, and the text.
class codec final : public upstream::codec {
public:
    std::span<char> space() override { return input_.space(); }
    void received(std::size_t count) override { input_.received(count); }

    upstream::any_event next() override
    {
        const auto unread = input_.unread();
        if (unread.size() < length_size)
            return upstream::event::incomplete{};
        const auto length = length_at(unread);
        if (length < number_size || length > longest)
            return upstream::event::broken{"a message has a length that cannot be"};
        if (unread.size() < length_size + length)
            return upstream::event::incomplete{};
        const auto message = input_.take(length_size + length).substr(length_size);
        return upstream::event::message{upstream::key(message.substr(0, number_size)), message.substr(number_size)};
    }

    // Nothing of the bytes is shown: they may be anything.
    upstream::event::unreadable unfinished() const override
    {
        return {{}, input_.unread().size(), "as many bytes as the length says"};
    }

private:
    static constexpr std::size_t length_size = 2;
    static constexpr std::size_t number_size = 4;
    static constexpr std::size_t longest = 1024;

    static std::size_t length_at(std::string_view bytes)
    {
        return static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[0])) << 8U |
               static_cast<std::uint8_t>(bytes[1]);
    }

    upstream::input_buffer input_{length_size + longest};
};
// [/codec]

struct seen {
    std::vector<std::string> keys;
    std::vector<std::string> texts;
    bool broken = false;
};

// What a codec finds in bytes that come one at a time.
seen found_in(std::string_view bytes)
{
    codec codec;
    seen seen;
    for (const char byte : bytes) {
        codec.space().front() = byte;
        codec.received(1);
        const auto event = codec.next(); // one byte completes one message at most
        if (const auto* message = std::get_if<upstream::event::message>(&event)) {
            seen.keys.emplace_back(message->key.text());
            seen.texts.emplace_back(message->bytes);
        }
        seen.broken = seen.broken || std::holds_alternative<upstream::event::broken>(event);
        if (seen.broken)
            break;
    }
    return seen;
}

} // namespace

int main()
{
    using namespace std::string_literals;
    const auto two = found_in("\0\x09\0\0\0\x07hello"s + "\0\x04\0\0\0\x08"s + "\0\x09\0\0"s);
    const bool finds_both =
        two.keys == std::vector{"\0\0\0\x07"s, "\0\0\0\x08"s} && two.texts == std::vector{"hello"s, ""s} && !two.broken;
    return finds_both && found_in("\0\x03"s).broken && found_in("\x7f\xff"s).broken ? 0 : 1;
}
