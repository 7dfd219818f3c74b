// The bytes of a message, in the dialect that the first byte chooses: what can be unpacked is unchanged after packing,
// if it can be packed, and a problem shows no content.
#include "pieces.hpp"
#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/dialect.hpp"

#include <string_view>
#include <vector>

namespace {

using causeway::fuzz::require;
using namespace causeway::iso8583;

// Every encoding, prefix and kind of parts.
constexpr std::string_view all_forms = R"({"fields": {
    "0": {"type": "String", "length": 4, "enc": "BCD", "prefix": "BCD.Fixed"},
    "1": {"type": "Bitmap", "enc": "HexToASCII", "prefix": "Hex.Fixed"},
    "2": {"type": "Numeric", "length": 19, "enc": "BCD", "prefix": "BCD.LL"},
    "3": {"type": "Numeric", "length": 5, "enc": "LBCD", "prefix": "BCD.Fixed"},
    "4": {"type": "String", "length": 99, "enc": "EBCDIC", "prefix": "EBCDIC.LL"},
    "5": {"type": "String", "length": 200, "enc": "EBCDIC1047", "prefix": "Binary.L"},
    "6": {"type": "Binary", "length": 8, "enc": "Binary", "prefix": "Binary.Fixed"},
    "7": {"type": "Hex", "length": 300, "enc": "HexToASCII", "prefix": "Hex.LL"},
    "8": {"type": "Track2", "length": 37, "enc": "BCD", "prefix": "ASCII.LL"},
    "9": {"type": "Composite", "length": 9999, "prefix": "Binary.LLLL", "subfields": {
        "1": {"type": "String", "length": 3, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "2": {"type": "Composite", "length": 999, "prefix": "BCD.LLLL", "tag": {"length": 1, "enc": "ASCIIToHex"},
              "subfields": {
            "7": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"},
            "56": {"type": "String", "length": 999, "enc": "ASCII", "prefix": "ASCII.LLLLLL"}}},
        "3": {"type": "Binary", "length": 50, "enc": "HexToASCII", "prefix": "None.Fixed"}}},
    "66": {"type": "Composite", "length": 99, "prefix": "ASCII.LL",
           "bitmap": {"type": "Bitmap", "length": 2, "enc": "Binary", "prefix": "Binary.Fixed", "disableAutoExpand": true},
           "subfields": {
        "1": {"type": "Numeric", "length": 3, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "16": {"type": "String", "length": 9, "enc": "ASCII", "prefix": "ASCII.L"}}}
}})";

const std::vector<dialect>& dialects()
{
    static const std::vector<dialect> dialects{dialect::built_in("iso8583-1987-ascii"), dialect::built_in("postilion"),
                                               dialect::parse(all_forms, "all_forms")};
    return dialects;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const auto& dialect = dialects()[data[0] % dialects().size()];
    const auto message = dialect.unpack(causeway::fuzz::whole(data, size));
    if (!message) {
        require(!message.error().what.empty());
        return 0;
    }
    // It cannot be packed if the host sent characters that are not printable.
    if (const auto bytes = dialect.pack(*message))
        require(dialect.unpack(*bytes).value() == *message);
    return 0;
}
