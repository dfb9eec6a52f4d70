//! Settings that are one word of a list.

/// A setting that is one word of a list.
pub(crate) trait Word: Sized + Copy {
    /// All words.
    const WORDS: &'static [&'static str];
    /// The value of a word.
    fn from_word(word: &str) -> Option<Self>;
}

/// Declares an enum together with the words that the pipeline file has for its variants.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$about])* $variant),+ }

        impl $name {
            /// The word of the pipeline file.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::model::Word for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

pub(crate) use words;
