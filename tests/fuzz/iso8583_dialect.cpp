// Dialect files: a valid one reads and writes messages, and an error in an invalid one is reported with its line.
#include "pieces.hpp"
#include "protocols/iso8583/dialect.hpp"

#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using causeway::fuzz::require;
    using causeway::iso8583::dialect;
    const std::string_view file(reinterpret_cast<const char*>(data), size);
    try {
        const auto dialect = dialect::parse(file, "file");
        // A dialect must cope with any bytes, so its own file serves as input.
        static_cast<void>(dialect.unpack(file));
        static_cast<void>(dialect.unpack(std::string("0200\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12) + std::string(file)));
        const auto bytes = dialect.pack({.mti = "0800", .elements = {}});
        require(bytes.has_value() && dialect.unpack(*bytes).has_value());
    } catch (const dialect::error& error) {
        require(std::string_view(error.what()).starts_with("file:"));
    }
    return 0;
}
