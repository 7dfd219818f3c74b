#include "numbered.hpp"

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

    std::span<char> space() override
    {
        input_.erase(0, std::exchange(read_, 0));
        end_ = input_.size();
        input_.resize(end_ + longest);
        return std::span(input_).subspan(end_);
    }

    void received(std::size_t count) override { input_.resize(end_ + count); }

    upstream::any_event next() override
    {
        const auto bytes = unread();
        const auto length = to_number(bytes);
        if (bytes.size() < word)
            return event::incomplete{};
        if (length < word || length > longest)
            return event::broken{"a message has an impossible length"};
        if (bytes.size() < word + length)
            return event::incomplete{};
        read_ += word + length;
        if (to_number(bytes.substr(word)) == own)
            return event::alive{};
        if (to_number(bytes.substr(word)) == echo)
            return event::to_answer{bytes.substr(0, word + length)};
        return event::message{upstream::key(bytes.substr(word, word)), bytes.substr(2 * word, length - word)};
    }

    event::unreadable unfinished() const override { return {unread(), "the rest of its length"}; }
    std::string greeting() override { return greeting_ == greeting::first ? message(own, "hello") : ""; }
    std::string heartbeat() override { return message(own, "still there"); }
    std::string probe() override { return message(own, "there again?"); }

private:
    std::string_view unread() const { return std::string_view(input_).substr(read_); }

    numbered::greeting greeting_;
    std::string input_;
    std::size_t read_ = 0;
    std::size_t end_ = 0;
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
