#include "numbered.hpp"

#include "upstream/input_buffer.hpp"

#include <memory>
#include <utility>

namespace causeway::test::numbered {
namespace {

namespace event = upstream::event;

constexpr std::size_t word = 4;
constexpr std::uint32_t longest = 64 * 1024;

std::string to_bytes(std::uint32_t number)
{
    return {static_cast<char>(number >> 24U), static_cast<char>(number >> 16U), static_cast<char>(number >> 8U),
            static_cast<char>(number)};
}

std::uint32_t to_number(std::string_view bytes)
{
    std::uint32_t number = 0;
    for (const char byte : bytes.substr(0, word))
        number = number << 8U | static_cast<unsigned char>(byte);
    return number;
}

class codec final : public upstream::codec {
public:
    explicit codec(numbered::greeting greeting)
        : greeting_(greeting)
    {
    }

    std::span<char> space() override { return input_.space(); }
    void received(std::size_t count) override { input_.received(count); }

    upstream::any_event next() override
    {
        const auto bytes = input_.unread();
        const auto length = to_number(bytes);
        if (bytes.size() < word)
            return event::incomplete{};
        if (length < word || length > longest)
            return event::broken{"a message has an impossible length"};
        if (bytes.size() < word + length)
            return event::incomplete{};
        const auto taken = input_.take(word + length);
        if (to_number(taken.substr(word)) == own)
            return event::alive{};
        if (to_number(taken.substr(word)) == echo)
            return event::to_answer{taken};
        return event::message{upstream::key(taken.substr(word, word)), taken.substr(2 * word)};
    }

    event::unreadable unfinished() const override
    {
        return {input_.unread(), input_.unread().size(), "the rest of its length"};
    }
    std::string greeting() override { return greeting_ == greeting::first ? message(own, "hello") : ""; }
    std::string heartbeat() override { return message(own, "still there"); }
    std::string probe() override { return message(own, "there again?"); }

private:
    numbered::greeting greeting_;
    upstream::input_buffer input_{word + longest};
};

} // namespace

std::string message(std::uint32_t number, std::string_view text)
{
    return to_bytes(static_cast<std::uint32_t>(word + text.size())) + to_bytes(number) + std::string(text);
}

upstream::question question_for(std::uint32_t number, std::string_view text)
{
    return {.key = upstream::key(to_bytes(number)), .bytes = message(number, text), .repeatable = false};
}

upstream::protocol protocol(greeting greeting)
{
    return {.make_codec = [greeting] { return std::make_unique<codec>(greeting); },
            .shares_keys = false,
            .late_replies = std::chrono::minutes(1)};
}

} // namespace causeway::test::numbered
